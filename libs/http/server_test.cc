#include "libs/http/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <future>
#include <thread>

#include "libs/async/task.h"
#include "libs/base/strings.h"
#include "libs/http/test_client.h"

namespace bv::http {
namespace {

namespace asio = boost::asio;
using testing::HasSubstr;
using testing::StartsWith;

// What the handler of "/wait" waits for, and whether it was told that its client has gone.
struct Gate {
  std::promise<async::Done<bool>> waiting;
  async::Done<bool> open;
  std::promise<void> cancelled;
};

class HttpServer : public testing::Test {
 protected:
  static Settings Defaults() {
    Settings settings;
    settings.address = "127.0.0.1:0";
    settings.connections_max = 100;
    settings.header_bytes_max = 4096;
    settings.body_bytes_max = 1 << 20;
    settings.body_bytes_total_max = 4 << 20;
    settings.read_timeout = absl::Seconds(5);
    settings.idle_timeout = absl::Seconds(5);
    settings.write_timeout = absl::Seconds(5);
    return settings;
  }

  void Start(const Settings& settings = Defaults()) {
    Handlers handlers{
        .handle = [this](const Request& request,
                         Response& response) { return Answer(*this, request, response); },
        .refuse = [](const Refusal& refusal, Response& response) { response.body = refusal.reason; },
    };
    server_ = std::make_unique<Server>(io_, settings, std::move(handlers));
    ASSERT_TRUE(server_->Start().ok());
    for (int i = 0; i < 2; ++i) threads_.emplace_back([this] { io_.run(); });
  }

  void TearDown() override {
    server_.reset();
    work_.reset();
    io_.stop();
    for (std::thread& thread : threads_) thread.join();
  }

  static async::Task<void> Answer(HttpServer& test, const Request& request, Response& response) {
    if (request.path == "/throw") throw std::runtime_error("secret");
    if (request.path == "/wait") {
      const std::stop_callback gone(request.stop, [&test] { test.gate_.cancelled.set_value(); });
      co_await async::Await<bool>(
          [&test](async::Done<bool> done) { test.gate_.waiting.set_value(std::move(done)); });
    }
    response.body = Concat(request.method, " ", request.path, "?", request.query, " ", request.body.size(),
                           " ", request.Find("x-test"));
  }

  // Lets the handler of "/wait", which has to be running or coming, go on.
  void OpenGate() { std::move(open_)(true); }
  void AwaitGate() { open_ = gate_.waiting.get_future().get(); }

  asio::io_context io_;
  asio::executor_work_guard<asio::io_context::executor_type> work_ = asio::make_work_guard(io_);
  std::vector<std::thread> threads_;
  std::unique_ptr<Server> server_;
  Gate gate_;
  async::Done<bool> open_;
};

TEST_F(HttpServer, AnswersAndKeepsTheConnection) {
  Start();
  TestClient client(server_->port());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(client.Send("GET /a%20b?c=d HTTP/1.1\r\nHost: x\r\nX-Test: 1\r\n\r\n"));
    const std::string answer = client.Receive();
    EXPECT_EQ(StatusOf(answer), 200);
    EXPECT_EQ(BodyOf(answer), "GET /a%20b?c=d 0 1");
    EXPECT_EQ(HeaderOf(answer, "connection"), "");
    EXPECT_EQ(HeaderOf(answer, "server"), "");
    EXPECT_THAT(HeaderOf(answer, "date"), testing::EndsWith(" GMT"));
  }
}

TEST_F(HttpServer, AnswersPipelinedRequestsInOrder) {
  Start();
  TestClient client(server_->port());
  std::string bytes;
  for (int i = 0; i < 200; ++i) {
    bytes += Concat("POST /", i, " HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
  }
  ASSERT_TRUE(client.Send(bytes));
  for (int i = 0; i < 200; ++i) ASSERT_EQ(BodyOf(client.Receive()), Concat("POST /", i, "? 3 "));
}

TEST_F(HttpServer, ReadsARequestThatComesByteByByte) {
  Start();
  TestClient client(server_->port());
  for (const char c : std::string_view("PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
                                       "chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n")) {
    ASSERT_TRUE(client.Send({&c, 1}));
  }
  EXPECT_EQ(BodyOf(client.Receive()), "PUT /? 5 ");
}

// Found by fuzzing: it depended on the pieces whether they counted.
TEST_F(HttpServer, TakesNoFieldBehindTheLastChunkForAHeader) {
  Start();
  TestClient client(server_->port());
  const std::string head = "PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string body = "3\r\nabc\r\n0\r\nX-Test: late\r\nHost: y\r\n\r\n";
  ASSERT_TRUE(client.Send(head + body));
  EXPECT_EQ(BodyOf(client.Receive()), "PUT /? 3 ");
  ASSERT_TRUE(client.Send(head));
  ASSERT_TRUE(client.Send(body));
  EXPECT_EQ(BodyOf(client.Receive()), "PUT /? 3 ");
}

TEST_F(HttpServer, AnswersHeadWithoutABody) {
  Start();
  TestClient client(server_->port());
  ASSERT_TRUE(client.Send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_EQ(HeaderOf(client.ReceiveHead(), "content-length"), std::to_string(sizeof("HEAD /? 0 ") - 1));
  EXPECT_EQ(BodyOf(client.Receive()), "GET /2? 0 ");
}

TEST_F(HttpServer, ClosesWhenAskedTo) {
  Start();
  for (const std::string_view bytes :
       {"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"}) {
    TestClient client(server_->port());
    ASSERT_TRUE(client.Send(bytes));
    EXPECT_EQ(HeaderOf(client.Receive(), "connection"), "close");
    EXPECT_TRUE(client.IsClosedByServer());
  }
}

TEST_F(HttpServer, SendsContinueBeforeABodyThatItWillTake) {
  Start();
  TestClient client(server_->port());
  ASSERT_TRUE(client.Send("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"));
  EXPECT_EQ(client.ReceiveHead(), "HTTP/1.1 100 Continue\r\n\r\n");
  ASSERT_TRUE(client.Send("ab"));
  EXPECT_EQ(BodyOf(client.Receive()), "POST /? 2 ");
  ASSERT_TRUE(
      client.Send("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2000000\r\n\r\n"));
  EXPECT_EQ(StatusOf(client.ReceiveHead()), 413);
}

struct Bad {
  std::string bytes;
  int status;
};

class HttpServerRefuses : public HttpServer, public testing::WithParamInterface<Bad> {};

TEST_P(HttpServerRefuses, WithTheStatusOfTheMistakeAndCloses) {
  Start();
  TestClient client(server_->port());
  ASSERT_TRUE(client.Send(GetParam().bytes));
  const std::string answer = client.Receive();
  EXPECT_EQ(StatusOf(answer), GetParam().status) << answer;
  EXPECT_EQ(HeaderOf(answer, "connection"), "close");
  EXPECT_TRUE(client.IsClosedByServer());
}

const std::string kPost = "POST / HTTP/1.1\r\nHost: x\r\n";
INSTANTIATE_TEST_SUITE_P(
    , HttpServerRefuses,
    testing::Values(
        Bad{"hello\r\n\r\n", 400}, Bad{"GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        Bad{"GET / HTTP/1.1\r\n\r\n", 400}, Bad{"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400},
        Bad{"GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400}, Bad{"GET nopath HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        Bad{"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505}, Bad{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
        Bad{"BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 501},
        Bad{kPost + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
        Bad{kPost + "Transfer-Encoding: gzip\r\n\r\n", 501}, Bad{kPost + "Expect: tea\r\n\r\n", 417},
        Bad{kPost + "Content-Length: -1\r\n\r\n", 400},
        Bad{kPost + "Content-Length: 99999999999999999999\r\n\r\n", 400},
        Bad{kPost + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400},
        Bad{kPost + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400},
        Bad{kPost + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        Bad{kPost + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400},
        Bad{kPost + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(20'000, 'a'), 431},
        Bad{kPost + "Content-Length: 100000000\r\n\r\n", 413},
        Bad{"GET / HTTP/1.1\r\nX: " + std::string(5'000, 'a') + "\r\n\r\n", 431},
        Bad{"GET /" + std::string(5'000, 'a') + " HTTP/1.1\r\n\r\n", 431},
        Bad{"GET /throw HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 500}));

TEST_F(HttpServer, EndsAChunkedBodyThatGrowsTooLarge) {
  Start();
  TestClient client(server_->port());
  ASSERT_TRUE(client.Send(kPost + "Transfer-Encoding: chunked\r\n\r\n"));
  const std::string chunk = "10000\r\n" + std::string(0x10000, 'a') + "\r\n";
  // The server goes on reading for a while, and may close when it has waited long enough.
  for (int i = 0; i < 1600 && client.Send(chunk); ++i) {
  }
  EXPECT_EQ(StatusOf(client.Receive()), 413);
}

TEST_F(HttpServer, BoundsTheBodiesOfAllConnections) {
  Settings settings = Defaults();
  settings.body_bytes_total_max = 1 << 20;
  Start(settings);
  TestClient first(server_->port());
  ASSERT_TRUE(first.Send(kPost + "Expect: 100-continue\r\nContent-Length: 1000000\r\n\r\n"));
  ASSERT_EQ(StatusOf(first.ReceiveHead()), 100);
  TestClient second(server_->port());
  ASSERT_TRUE(second.Send(kPost + "Content-Length: 1000000\r\n\r\n"));
  EXPECT_EQ(StatusOf(second.Receive()), 503);
  ASSERT_TRUE(first.Send(std::string(1'000'000, 'a')));
  EXPECT_EQ(StatusOf(first.Receive()), 200);
  TestClient third(server_->port());
  ASSERT_TRUE(third.Send(kPost + "Content-Length: 1000000\r\n\r\n" + std::string(1'000'000, 'a')));
  EXPECT_EQ(StatusOf(third.Receive()), 200);
}

TEST_F(HttpServer, TurnsAwayMoreConnectionsThanItsLimit) {
  Settings settings = Defaults();
  settings.connections_max = 1;
  Start(settings);
  TestClient first(server_->port());
  ASSERT_TRUE(first.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  ASSERT_EQ(StatusOf(first.Receive()), 200);
  TestClient second(server_->port());
  EXPECT_EQ(StatusOf(second.Receive()), 503);
}

TEST_F(HttpServer, EndsASlowSenderWith408) {
  Settings settings = Defaults();
  settings.read_timeout = absl::Milliseconds(200);
  Start(settings);
  for (const std::string_view bytes :
       {"GET / HT", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab"}) {
    TestClient client(server_->port());
    ASSERT_TRUE(client.Send(bytes));
    EXPECT_EQ(StatusOf(client.Receive()), 408);
    EXPECT_TRUE(client.IsClosedByServer());
  }
}

TEST_F(HttpServer, ClosesAnIdleConnectionWithoutAWord) {
  Settings settings = Defaults();
  settings.idle_timeout = absl::Milliseconds(200);
  Start(settings);
  TestClient client(server_->port());
  ASSERT_TRUE(client.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_EQ(StatusOf(client.Receive()), 200);
  EXPECT_TRUE(client.IsClosedByServer());
}

TEST_F(HttpServer, TellsTheHandlerThatTheClientHasGone) {
  Start();
  TestClient client(server_->port());
  // A request waits behind the first, so that reading would not see the end of the stream.
  ASSERT_TRUE(client.Send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n"));
  AwaitGate();
  client.Close();
  gate_.cancelled.get_future().wait();
  OpenGate();
}

TEST_F(HttpServer, DrainsWithoutFailingARequest) {
  Start();
  TestClient running(server_->port());
  ASSERT_TRUE(running.Send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n"));
  AwaitGate();
  TestClient idle(server_->port());
  ASSERT_TRUE(idle.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  ASSERT_EQ(StatusOf(idle.Receive()), 200);
  auto drained = std::async(std::launch::async, [this] { server_->Drain(absl::Now() + absl::Seconds(10)); });
  // The idle connection is closed, or answers what was on its way.
  EXPECT_TRUE(idle.IsClosedByServer());
  OpenGate();
  const std::string answer = running.Receive();
  EXPECT_EQ(StatusOf(answer), 200);
  EXPECT_EQ(HeaderOf(answer, "connection"), "close");
  running.Close();
  drained.wait();
  TestClient late(server_->port());
  EXPECT_FALSE(late.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
}

TEST_F(HttpServer, CutsOffWhatIsLeftAtTheDrainsDeadline) {
  Start();
  TestClient running(server_->port());
  ASSERT_TRUE(running.Send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n"));
  AwaitGate();
  auto drained = std::async(std::launch::async, [this] { server_->Drain(absl::Now()); });
  gate_.cancelled.get_future().wait();
  OpenGate();
  drained.wait();
}

TEST_F(HttpServer, NamesAnAddressThatIsTaken) {
  Start();
  Settings settings = Defaults();
  settings.address = Concat("127.0.0.1:", server_->port());
  Server second(io_, settings, {});
  const absl::Status status = second.Start();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr(settings.address));
}

TEST(HttpResponse, LetsNoValueEndItsLine) {
  Response response;
  response.AddHeader("X", "a\r\nSet-Cookie: b");
  EXPECT_EQ(response.header_lines(), "X: a  Set-Cookie: b\r\n");
}

}  // namespace
}  // namespace bv::http
