#include "libs/http/client.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/write.hpp>
#include <thread>

#include "libs/base/error.h"
#include "libs/base/strings.h"
#include "libs/http/server.h"

namespace bv::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

class HttpClient : public testing::Test {
 protected:
  ~HttpClient() override {
    work_.reset();
    io_.stop();
    thread_.join();
  }

  absl::StatusOr<Answer> Send(int port, const ClientRequest& request,
                              absl::Duration timeout = absl::Seconds(5)) {
    Client client({.host = "127.0.0.1", .port = absl::StrCat(port), .path = "/"}, 1000);
    return asio::co_spawn(io_, client.Send(request, absl::Now() + timeout), asio::use_future).get();
  }
  // A server that takes one connection, reads what comes first, writes `bytes` and closes.
  std::string ReasonAfter(const std::string& bytes) {
    tcp::acceptor acceptor(io_, {asio::ip::make_address("127.0.0.1"), 0});
    std::thread server([&] {
      tcp::socket socket = acceptor.accept();
      std::array<char, 1000> request;
      socket.read_some(asio::buffer(request));
      boost::system::error_code ignored;
      asio::write(socket, asio::buffer(bytes), ignored);
    });
    const absl::StatusOr<Answer> answer = Send(acceptor.local_endpoint().port(), Get());
    server.join();
    EXPECT_FALSE(WasNeverSent(answer.status()));
    return answer.ok() ? answer->body : ErrorReason(answer.status());
  }
  static ClientRequest Get() { return {.method = "GET", .target = "/a?b=c"}; }

  asio::io_context io_;
  asio::executor_work_guard<asio::io_context::executor_type> work_ = asio::make_work_guard(io_);
  std::thread thread_{[this] { io_.run(); }};
};

TEST_F(HttpClient, SendsAndReads) {
  Handlers handlers{
      .handle = [](const Request& request, Response& response) -> async::Task<void> {
        response.status = 422;
        response.AddHeader("Content-Type", "text/plain");
        response.body = Concat(request.method, " ", request.path, "?", request.query, " ",
                               request.Find("x-test"), " ", request.body);
        co_return;
      },
      .refuse = [](const Refusal& refusal, Response& response) { response.body = refusal.reason; },
  };
  Server server(io_,
                {.address = "127.0.0.1:0",
                 .connections_max = 10,
                 .header_bytes_max = 4096,
                 .body_bytes_max = 4096,
                 .body_bytes_total_max = 4096,
                 .read_timeout = absl::Seconds(5),
                 .idle_timeout = absl::Seconds(5),
                 .write_timeout = absl::Seconds(5)},
                std::move(handlers));
  ASSERT_TRUE(server.Start().ok());
  const absl::StatusOr<Answer> answer = Send(
      server.port(), {.method = "POST", .target = "/x?y=z", .headers = {{"X-Test", "t"}}, .body = "body"});
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->status, 422);
  EXPECT_EQ(answer->content_type, "text/plain");
  EXPECT_EQ(answer->body, "POST /x?y=z t body");
}

TEST_F(HttpClient, ARefusedConnectionHasSentNothing) {
  int port = 0;
  {
    const tcp::acceptor acceptor(io_, {asio::ip::make_address("127.0.0.1"), 0});
    port = acceptor.local_endpoint().port();
  }
  const absl::StatusOr<Answer> answer = Send(port, Get());
  EXPECT_TRUE(WasNeverSent(answer.status())) << answer.status();
}

TEST_F(HttpClient, AfterTheDeadlineNothingIsSent) {
  const tcp::acceptor acceptor(io_, {asio::ip::make_address("127.0.0.1"), 0});
  const absl::StatusOr<Answer> answer = Send(acceptor.local_endpoint().port(), Get(), absl::Milliseconds(-1));
  EXPECT_TRUE(WasNeverSent(answer.status())) << answer.status();
}

TEST_F(HttpClient, SilenceEndsAtTheDeadline) {
  // The kernel takes the connection, and nobody reads.
  const tcp::acceptor acceptor(io_, {asio::ip::make_address("127.0.0.1"), 0});
  const absl::StatusOr<Answer> answer = Send(acceptor.local_endpoint().port(), Get(), absl::Milliseconds(50));
  EXPECT_EQ(ErrorReason(answer.status()), "NO_ANSWER") << answer.status();
  EXPECT_FALSE(WasNeverSent(answer.status()));
}

TEST_F(HttpClient, WhatWasSentMayHaveBeenCarriedOut) {
  EXPECT_EQ(ReasonAfter(""), "CONNECTION_LOST");
  EXPECT_EQ(ReasonAfter("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"), "CONNECTION_LOST");
  EXPECT_EQ(ReasonAfter("no HTTP at all\r\n\r\n"), "BAD_ANSWER");
  EXPECT_EQ(ReasonAfter(Concat("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n", std::string(1001, 'x'))),
            "BAD_ANSWER");
  EXPECT_EQ(ReasonAfter(Concat("HTTP/1.1 200 OK\r\nX: ", std::string(20'000, 'x'), "\r\n\r\n")),
            "BAD_ANSWER");
  EXPECT_EQ(ReasonAfter("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody"), "body");
  EXPECT_EQ(ReasonAfter("HTTP/1.1 200 OK\r\n\r\nuntil the end"), "until the end");
}

TEST(HttpUrl, IsTakenApart) {
  const auto url = [](std::string_view text) {
    const absl::StatusOr<Url> parsed = Url::Parse(text, "soap.url");
    return parsed.ok() ? Concat(parsed->host, " ", parsed->port, " ", parsed->path)
                       : GetErrorDetail(parsed.status()).field;
  };
  EXPECT_EQ(url("http://127.0.0.1:8080/pay"), "127.0.0.1 8080 /pay");
  EXPECT_EQ(url("http://gateway"), "gateway 80 /");
  EXPECT_EQ(url("http://[::1]:81/x?wsdl"), "::1 81 /x?wsdl");
  for (const char* bad : {"https://a/", "gateway", "http://", "http://:80/", "http://a:0/", "http://a:65536/",
                          "http://a:x/", "http://[::1", "http://a/b c"}) {
    EXPECT_EQ(url(bad), "soap.url") << bad;
  }
}

}  // namespace
}  // namespace bv::http
