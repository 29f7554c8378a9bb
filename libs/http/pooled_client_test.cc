#include "libs/http/pooled_client.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <optional>
#include <thread>
#include <vector>

#include "libs/base/error.h"
#include "libs/base/strings.h"
#include "libs/egress/test_receiver.h"

namespace bv::http {
namespace {

namespace asio = boost::asio;
using egress::Socket;
using egress::TestReceiver;

constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

class PooledClientTest : public testing::Test {
 protected:
  ~PooledClientTest() override {
    client_.reset();
    work_.reset();
    io_.stop();
    thread_.join();
  }

  void Serve(std::function<void(Socket&)> serve, std::size_t idle_max = 4) {
    receiver_.emplace(std::move(serve));
    const Url url{.host = "127.0.0.1", .port = Concat(receiver_->port()), .path = "/"};
    client_.emplace(io_.get_executor(), url, 100, idle_max);
  }
  std::future<absl::StatusOr<Answer>> Start(absl::Duration timeout = absl::Seconds(20)) {
    return asio::co_spawn(io_, client_->Send(request_, absl::Now() + timeout), asio::use_future);
  }
  std::string Ask(absl::Duration timeout = absl::Seconds(20)) {
    const absl::StatusOr<Answer> answer = Start(timeout).get();
    return answer.ok() ? answer->body : ErrorReason(answer.status());
  }
  std::string AskManyAtOnce(int count) {
    std::vector<std::future<absl::StatusOr<Answer>>> asked;
    for (int i = 0; i < count; ++i) asked.push_back(Start());
    for (auto& one : asked) {
      if (const auto answer = one.get(); !answer.ok()) return answer.status().ToString();
    }
    return "ok";
  }

  const ClientRequest request_{.method = "POST", .target = "/a", .body = "question"};
  asio::io_context io_;
  asio::executor_work_guard<asio::io_context::executor_type> work_ = asio::make_work_guard(io_);
  std::thread thread_{[this] { io_.run(); }};
  std::optional<TestReceiver> receiver_;
  std::optional<PooledClient> client_;
};

TEST_F(PooledClientTest, OneConnectionServesOneRequestAfterTheOther) {
  Serve(egress::AlwaysAnswer(std::string(kAnswer)));
  for (int i = 0; i < 20; ++i) ASSERT_EQ(Ask(), "ok");
  EXPECT_EQ(receiver_->connections(), 1);
}

TEST_F(PooledClientTest, AConnectionThatWasClosedMeanwhileIsReplaced) {
  Serve([](Socket& socket) {
    egress::ReadRequest(socket);
    egress::Write(socket, std::string(kAnswer));
  });
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Ask(), "ok") << i;
  EXPECT_EQ(receiver_->connections(), 5);
}

TEST_F(PooledClientTest, AConnectionThatTheServerWantsClosedIsNotUsedAgain) {
  Serve(egress::AlwaysAnswer("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Ask(), "ok") << i;
  EXPECT_EQ(receiver_->connections(), 3);
}

TEST_F(PooledClientTest, OnlySoManyAreKept) {
  std::promise<void> go;
  Serve(
      [wait = go.get_future().share()](Socket& socket) {
        while (true) {
          egress::ReadRequest(socket);
          wait.wait();
          egress::Write(socket, std::string(kAnswer));
        }
      },
      2);
  std::vector<std::future<absl::StatusOr<Answer>>> asked;
  for (int i = 0; i < 5; ++i) asked.push_back(Start());
  while (receiver_->connections() < 5) std::this_thread::yield();
  go.set_value();
  for (auto& one : asked) EXPECT_TRUE(one.get().ok());
  EXPECT_EQ(AskManyAtOnce(2), "ok");
  EXPECT_EQ(receiver_->connections(), 5);
  EXPECT_EQ(AskManyAtOnce(3), "ok");
  EXPECT_EQ(receiver_->connections(), 6);
}

TEST_F(PooledClientTest, AConnectionWithoutAnAnswerIsNotUsedAgain) {
  std::promise<void> over;
  Serve([wait = over.get_future().share()](Socket& socket) {
    egress::ReadRequest(socket);
    egress::Write(socket, std::string(kAnswer));
    egress::ReadRequest(socket);
    wait.wait();
  });
  EXPECT_EQ(Ask(), "ok");
  EXPECT_EQ(Ask(absl::Milliseconds(50)), "NO_ANSWER");
  EXPECT_EQ(Ask(), "ok");
  EXPECT_EQ(receiver_->connections(), 2);
  over.set_value();
}

TEST_F(PooledClientTest, AfterTheDeadlineNothingIsSent) {
  Serve(egress::AlwaysAnswer(std::string(kAnswer)));
  EXPECT_EQ(Ask(-absl::Seconds(1)), "NOT_SENT");
  EXPECT_EQ(receiver_->connections(), 0);
}

}  // namespace
}  // namespace bv::http
