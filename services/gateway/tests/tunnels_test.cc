#include <gmock/gmock.h>

#include "libs/base/strings.h"
#include "services/gateway/tests/gateway_fixture.h"

namespace bv::gateway {
namespace {

using http::BodyOf;
using http::HeaderOf;
using http::StatusOf;
using http::TestClient;
using ::testing::HasSubstr;
using ::testing::Not;

// What is behind the tunnel: an HTTP server that answers with the head of what it is asked.
class Behind {
 public:
  explicit Behind(boost::asio::io_context& io)
      : server_(io,
                {.address = "127.0.0.1:0",
                 .connections_max = 10,
                 .header_bytes_max = 4096,
                 .body_bytes_max = 4096,
                 .body_bytes_total_max = 4096,
                 .read_timeout = absl::Seconds(5),
                 .idle_timeout = absl::Seconds(5),
                 .write_timeout = absl::Seconds(5)},
                {.handle = [](const http::Request& request,
                              http::Response& response) { return Answer(request, response); },
                 .refuse = [](const http::Refusal&, http::Response&) {}}) {
    EXPECT_TRUE(server_.Start().ok());
  }
  std::string address() const { return Concat("127.0.0.1:", server_.port()); }

 private:
  static async::Task<void> Answer(const http::Request& request, http::Response& response) {
    response.body = Concat(request.path, "?", request.query, "\n");
    for (const http::Header& header : request.headers)
      response.body += Concat(header.name, ": ", header.value, "\n");
    co_return;
  }

  http::Server server_;
};

class TunnelledGatewayTest : public GatewayTest {
 protected:
  void SetUp() override {
    behind_ = std::make_unique<Behind>(io_);
    Start({.tunnelled_to = behind_->address()});
  }
  void TearDown() override {
    behind_.reset();
    Stop();
  }

  std::unique_ptr<Behind> behind_;
};

TEST_F(TunnelledGatewayTest, HandsConnectionsOn) {
  TestClient client(http_->port());
  client.Send(
      "GET /ws/orders?access_token=a%20b HTTP/1.1\r\nHost: shop.example\r\nUpgrade: websocket\r\n"
      "Connection: keep-alive, Upgrade\r\nX-Forwarded-For: 6.6.6.6\r\nx-forwarded-host: evil.example\r\n"
      "Forwarded: for=6.6.6.6\r\nCorrelation-Id: corr-1\r\nSec-WebSocket-Protocol: bearer\r\n"
      "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n\r\n");
  const std::string seen = BodyOf(client.Receive());
  EXPECT_THAT(seen, HasSubstr("/ws/orders?access_token=a%20b\n"));
  EXPECT_THAT(seen, HasSubstr("Upgrade: websocket\nConnection: keep-alive, Upgrade\n"));
  EXPECT_THAT(seen, HasSubstr("Sec-WebSocket-Protocol: bearer\n"));
  EXPECT_THAT(seen, HasSubstr("X-Forwarded-For: 127.0.0.1\nX-Forwarded-Host: shop.example\n"));
  EXPECT_THAT(seen, HasSubstr("Correlation-Id: corr-1\n"));
  EXPECT_THAT(seen, HasSubstr("traceparent: 00-0af7651916cd43dd8448eb211c80319c-"));
  EXPECT_THAT(seen, Not(HasSubstr("6.6.6.6")));
  EXPECT_THAT(seen, Not(HasSubstr("evil")));
  // The connection is behind for good, with whatever it says.
  client.Send("GET /api/v1/inventory/A HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(BodyOf(client.Receive()), HasSubstr("/api/v1/inventory/A?\n"));
}

TEST_F(GatewayTest, SaysWhenNobodyIsBehindTheTunnel) {
  const std::string answer = Ask("GET /sse/flash-sales?tenant=demo", "Correlation-Id: corr-1\r\n");
  EXPECT_EQ(StatusOf(answer), 503);
  EXPECT_EQ(HeaderOf(answer, "content-type"), "application/problem+json");
  EXPECT_EQ(HeaderOf(answer, "retry-after"), "1");
  EXPECT_EQ(HeaderOf(answer, "correlation-id"), "corr-1");
  EXPECT_THAT(BodyOf(answer), HasSubstr("TUNNEL_UNAVAILABLE"));
  EXPECT_THAT(BodyOf(answer), Not(HasSubstr("127.0.0.1")));
}

TEST_F(GatewayTest, HandsOnNothingElse) {
  for (const std::string_view line :
       {"POST /ws/orders", "HEAD /ws/orders", "GET /ws", "GET /wsx", "GET /sse"})
    EXPECT_EQ(StatusOf(Ask(line, "X-Tenant-Id: demo\r\nConnection: close\r\n", line[0] == 'P' ? "{}" : "")),
              404)
        << line;
}

}  // namespace
}  // namespace bv::gateway
