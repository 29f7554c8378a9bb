#include "libs/http/tunnel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <thread>

#include "libs/base/error.h"
#include "libs/base/strings.h"
#include "libs/http/server.h"
#include "libs/http/test_client.h"
#include "libs/telemetry/telemetry.h"

namespace bv::http {
namespace {

namespace asio = boost::asio;
using testing::HasSubstr;
using testing::StartsWith;

// A server that takes connections and leaves the rest to the test.
class Listener {
 public:
  Listener() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(fd_, 16), 0);
    const timeval limit{.tv_sec = 10, .tv_usec = 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  ~Listener() { close(fd_); }

  std::string address() const { return Concat("127.0.0.1:", port_); }
  TestClient Accept() const { return TestClient::Accepted(accept(fd_, nullptr, nullptr)); }

 private:
  const int fd_;
  int port_ = 0;
};

constexpr std::string_view kNobody = "127.0.0.1:1";
constexpr std::string_view kRequest =
    "GET /ws/orders?x=%20 HTTP/1.1\r\nHost: shop\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "x-forwarded-for: 1.2.3.4\r\nSpoofed: yes\r\n\r\n";
constexpr std::string_view kHandedOn =
    "GET /ws/orders?x=%20 HTTP/1.1\r\nHost: shop\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "X-Forwarded-For: 127.0.0.1\r\n\r\n";

class TunnelTest : public testing::Test {
 protected:
  void Start(std::vector<std::string> addresses, absl::Duration stall_timeout = absl::Seconds(10)) {
    tunnels_ = std::make_unique<Tunnels>(TunnelSettings{.addresses = std::move(addresses),
                                                        .open_max = 3,
                                                        .connect_timeout = absl::Seconds(5),
                                                        .stall_timeout = stall_timeout});
    Settings settings{.address = "127.0.0.1:0",
                      .connections_max = 3,
                      .header_bytes_max = 4096,
                      .body_bytes_max = 4096,
                      .body_bytes_total_max = 4096,
                      .read_timeout = absl::Seconds(5),
                      .idle_timeout = absl::Milliseconds(50),
                      .write_timeout = absl::Milliseconds(50)};
    Handlers handlers{
        .handle = [this](const Request& request,
                         Response& response) { return Answer(*tunnels_, request, response); },
        .refuse = [](const Refusal& refusal, Response& response) { response.body = refusal.reason; },
    };
    server_ = std::make_unique<Server>(io_, settings, std::move(handlers));
    ASSERT_TRUE(server_->Start().ok());
    for (int i = 0; i < 2; ++i) threads_.emplace_back([this] { io_.run(); });
  }

  void TearDown() override {
    server_.reset();
    tunnels_.reset();
    work_.reset();
    io_.stop();
    for (std::thread& thread : threads_) thread.join();
  }

  static async::Task<void> Answer(Tunnels& tunnels, const Request& request, Response& response) {
    const Tunnels::Headers headers = {{"X-Forwarded-For", std::string(request.client_address)},
                                      {"Spoofed", ""}};
    if (request.path == "/rest") co_return;
    const absl::Status opened = co_await tunnels.Open(request, headers, response);
    if (opened.ok()) co_return;
    response.status = 503;
    response.body = ErrorReason(opened);
  }

  // A tunnel's two ends, the head already taken.
  std::pair<TestClient, TestClient> Open() {
    TestClient client(server_->port());
    EXPECT_TRUE(client.Send(kRequest));
    TestClient server = listener_.Accept();
    EXPECT_EQ(server.ReceiveHead(), kHandedOn);
    return {std::move(client), std::move(server)};
  }

  // Again, while too many that have ended are not forgotten yet.
  std::string Ask(std::string_view request) {
    while (true) {
      TestClient client(server_->port());
      client.Send(request);
      std::string answer = client.Receive();
      if (BodyOf(answer) != "OVERLOADED") return answer;
    }
  }

  static double OpenTunnels() { return telemetry::Gauge("http_tunnels", "").Value(); }
  static void AwaitTunnels(double count) {
    const absl::Time deadline = absl::Now() + absl::Seconds(10);
    while (OpenTunnels() != count && absl::Now() < deadline) std::this_thread::yield();
    EXPECT_EQ(OpenTunnels(), count);
  }

  Listener listener_;
  asio::io_context io_;
  asio::executor_work_guard<asio::io_context::executor_type> work_ = asio::make_work_guard(io_);
  std::vector<std::thread> threads_;
  std::unique_ptr<Tunnels> tunnels_;
  std::unique_ptr<Server> server_;
};

TEST_F(TunnelTest, HandsOnTheHeadAndWhateverFollows) {
  Start({listener_.address()});
  TestClient client(server_->port());
  ASSERT_TRUE(client.Send(Concat(kRequest, "\x01\x02 behind the head")));
  TestClient server = listener_.Accept();
  EXPECT_EQ(server.ReceiveHead(), kHandedOn);
  EXPECT_EQ(server.ReceiveBytes(18), "\x01\x02 behind the head");
  ASSERT_TRUE(server.Send("HTTP/1.1 101 Switching Protocols\r\n\r\n"));
  EXPECT_EQ(client.ReceiveHead(), "HTTP/1.1 101 Switching Protocols\r\n\r\n");
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(client.Send("ping"));
    ASSERT_EQ(server.ReceiveBytes(4), "ping");
    ASSERT_TRUE(server.Send("pong"));
    ASSERT_EQ(client.ReceiveBytes(4), "pong");
  }
}

TEST_F(TunnelTest, AnEndThatOnlyEndsItsSendingStillReceives) {
  Start({listener_.address()});
  auto [client, server] = Open();
  ASSERT_TRUE(client.Send("last"));
  client.EndSending();
  EXPECT_EQ(server.ReceiveBytes(5), "last") << "and then the end";
  ASSERT_TRUE(server.Send("answer"));
  EXPECT_EQ(client.ReceiveBytes(6), "answer");
  server.Close();
  EXPECT_TRUE(client.IsClosedByServer());
  AwaitTunnels(0);
}

TEST_F(TunnelTest, AClientThatStaysAfterTheServersEndIsClosed) {
  Start({listener_.address()}, absl::Milliseconds(100));
  auto [client, server] = Open();
  ASSERT_TRUE(server.Send("bye"));
  server.Close();
  EXPECT_EQ(client.ReceiveBytes(4), "bye");
  AwaitTunnels(0);
}

TEST_F(TunnelTest, ReadsNoMoreThanIsTaken) {
  Start({listener_.address()});
  auto [client, server] = Open();
  std::string bytes(64 << 20, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 31 >> 8);
  const std::size_t sent = server.SendWhatFits(bytes);
  EXPECT_LT(sent, bytes.size() / 2) << "the sockets and a small buffer, but not all";
  bytes.resize(sent);
  // Not EXPECT_EQ, which would look for the difference of megabytes.
  EXPECT_TRUE(client.ReceiveBytes(sent) == bytes);
  ASSERT_TRUE(server.Send("more"));
  EXPECT_EQ(client.ReceiveBytes(4), "more");
}

TEST_F(TunnelTest, AnEndThatTakesNothingForLongIsClosed) {
  Start({listener_.address()}, absl::Milliseconds(100));
  auto [client, server] = Open();
  const std::string bytes(64 << 20, 'x');
  EXPECT_FALSE(server.Send(bytes));
  AwaitTunnels(0);
}

TEST_F(TunnelTest, AnIdleOneIsLeftAlone) {
  Start({listener_.address()}, absl::Milliseconds(10));
  auto [client, server] = Open();
  // Longer than all limits of a request.
  const absl::Time end = absl::Now() + absl::Milliseconds(400);
  while (absl::Now() < end)
    ASSERT_EQ(Ask("GET /rest HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").substr(9, 3), "200");
  ASSERT_TRUE(client.Send("still here"));
  EXPECT_EQ(server.ReceiveBytes(10), "still here");
}

TEST_F(TunnelTest, GoesToTheNextServerWhenOneDoesNotAnswer) {
  Start({std::string(kNobody), listener_.address(), "nowhere.invalid:80"});
  for (int i = 0; i < 4; ++i) {
    auto [client, server] = Open();
    ASSERT_TRUE(server.Send("here"));
    EXPECT_EQ(client.ReceiveBytes(4), "here");
    client.Close();
    server.Close();
    AwaitTunnels(0);
  }
}

TEST_F(TunnelTest, SaysWhenNobodyAnswers) {
  Start({std::string(kNobody), "127.0.0.1:2"});
  EXPECT_EQ(BodyOf(Ask(kRequest)), "TUNNEL_UNAVAILABLE");
  AwaitTunnels(0);
}

TEST_F(TunnelTest, HasALimitOfItsOwn) {
  Start({listener_.address()});
  auto first = Open();
  auto second = Open();
  auto third = Open();
  EXPECT_EQ(OpenTunnels(), 3);
  EXPECT_EQ(BodyOf(Ask(kRequest)), "TUNNELS_EXHAUSTED");
  EXPECT_EQ(StatusOf(Ask("GET /rest HTTP/1.1\r\nHost: x\r\n\r\n")), 200) << "tunnels are no connections";
  first.first.Close();
  EXPECT_EQ(first.second.ReceiveBytes(1), "");
  first.second.Close();
  AwaitTunnels(2);
  auto another = Open();
  ASSERT_TRUE(another.first.Send("x"));
  EXPECT_EQ(another.second.ReceiveBytes(1), "x");
}

TEST_F(TunnelTest, ADrainLeavesThemTimeAndThenCloses) {
  Start({listener_.address()});
  auto [client, server] = Open();
  const auto second = Open();
  const auto third = Open();
  std::thread drain([this] { tunnels_->Drain(absl::Now() + absl::Milliseconds(300)); });
  while (BodyOf(Ask(kRequest)) != "TUNNEL_UNAVAILABLE") {
  }
  ASSERT_TRUE(client.Send("while draining"));
  EXPECT_EQ(server.ReceiveBytes(14), "while draining");
  drain.join();
  EXPECT_TRUE(client.IsClosedByServer());
  EXPECT_EQ(server.ReceiveBytes(1), "");
}

TEST_F(TunnelTest, ADrainEndsWhenTheLastHasEnded) {
  Start({listener_.address()});
  auto [client, server] = Open();
  std::thread drain([this] { tunnels_->Drain(absl::Now() + absl::Seconds(60)); });
  client.Close();
  server.Close();
  drain.join();
  AwaitTunnels(0);
}

}  // namespace
}  // namespace bv::http
