// The gateway over a real socket in front of a real gRPC server with a small inventory.
#include "services/gateway/rest/gateway.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <filesystem>
#include <fstream>
#include <future>

#include "commerce/inventory/v1/service.grpc.pb.h"
#include "commerce/order/v1/service.pb.h"
#include "libs/base/error.h"
#include "libs/base/strings.h"
#include "libs/http/test_client.h"
#include "libs/rpc/server.h"
#include "libs/testing/testing.h"

namespace bv::gateway {
namespace {

namespace pb = commerce::inventory::v1;
using http::BodyOf;
using http::HeaderOf;
using http::StatusOf;
using http::TestClient;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kJwks =
    R"({"keys":[{"kty":"oct","kid":"dev","alg":"HS256","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}]})";
constexpr std::string_view kOtherJwks =
    R"({"keys":[{"kty":"oct","kid":"dev","alg":"HS256","k":"ICECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}]})";

// Answers by the SKU.
class SmallInventory {
 public:
  void Serve(rpc::Server& server) {
    const std::string_view service = pb::Inventory::service_full_name();
    server.Handle(service, "ReserveStock", *this, &SmallInventory::Reserve);
    server.Handle(service, "ReleaseStock", *this, &SmallInventory::Release);
    server.Handle(service, "QueryStock", *this, &SmallInventory::Query);
    server.Handle(service, "AdjustStock", *this, &SmallInventory::Adjust);
    server.ServePartly(service);
  }

  rpc::Reply<pb::ReserveResponse> Reserve(rpc::Call<pb::ReserveRequest>) {
    co_return absl::UnimplementedError("not here");
  }
  rpc::Reply<pb::ReleaseResponse> Release(rpc::Call<pb::ReleaseRequest>) {
    co_return absl::UnimplementedError("not here");
  }

  rpc::Reply<pb::StockStatus> Query(rpc::Call<pb::StockQuery> call) {
    const std::string& sku = call.request().sku();
    if (sku == "UNKNOWN") co_return NotFound("SKU_NOT_FOUND", "no such SKU");
    if (sku == "BROKEN") co_return absl::InternalError("relation \"stock\" does not exist");
    if (sku == "BUSY") co_return Overloaded("too busy", absl::Seconds(7));
    if (sku == "SLOW") {
      // Until the caller gives up.
      started.set_value();
      std::optional<std::stop_callback<std::function<void()>>> gone;
      co_await async::Await<bool>([&](async::Done<bool> done) {
        auto shared = std::make_shared<async::Done<bool>>(std::move(done));
        gone.emplace(call.context().stop, std::function<void()>([shared] { std::move (*shared)(true); }));
      });
      cancelled.set_value();
      co_return absl::CancelledError("gave up");
    }
    pb::StockStatus status;
    status.set_sku(sku);
    status.set_product_id(Concat(call.context().tenant.str(), " ", call.context().correlation_id));
    status.set_on_hand(5);
    co_return status;
  }

  rpc::Reply<pb::StockStatus> Adjust(rpc::Call<pb::AdjustRequest> call) {
    if (call.request().delta() == 0) co_return InvalidValue("delta", "must not be 0");
    if (call.request().delta() < 0)
      co_return Error(absl::StatusCode::kFailedPrecondition, "STOCK_NEGATIVE", "too few");
    pb::StockStatus status;
    status.set_sku(call.request().sku());
    status.set_product_id(Concat(call.context().user_id, " ", call.context().idempotency_key));
    if (call.context().idempotency_key == "again") call.MarkReplayed();
    co_return status;
  }

  std::promise<void> started;
  std::promise<void> cancelled;
};

class GatewayTest : public ::testing::Test {
 protected:
  void SetUp() override { Start({}); }

  struct Options {
    absl::Duration request_timeout = absl::Seconds(5);
    absl::Duration read_timeout = absl::Seconds(5);
    // Nobody listens there.
    std::string tunnelled_to = "127.0.0.1:1";
  };

  void Start(Options options) {
    jwks_file_ =
        std::filesystem::temp_directory_path() / Concat("gateway-test-", getpid(), "-", ++files_, ".json");
    std::ofstream(jwks_file_) << kJwks;
    auth::Settings auth{
        .jwks_file = jwks_file_, .issuer = "https://issuer.bivouac.dev", .audience = "bivouac"};
    auto verifier = auth::Verifier::Create(auth);
    ASSERT_TRUE(verifier.ok()) << verifier.status();
    verifier_ = *std::move(verifier);

    rpc::ServerSettings rpc_settings{.address = "127.0.0.1:0",
                                     .message_bytes_max = 1 << 20,
                                     .calls_max = 100,
                                     .default_deadline = absl::Seconds(10)};
    rpc_ = std::make_unique<rpc::Server>(io_, rpc_settings, verifier_.get());
    inventory_.Serve(*rpc_);
    ASSERT_TRUE(rpc_->Start().ok());
    inventory_peer_ = std::make_unique<rpc::Peer>(Concat("127.0.0.1:", rpc_->port()), rpc::PeerSettings{});
    // Nobody listens there.
    order_peer_ = std::make_unique<rpc::Peer>("127.0.0.1:1", rpc::PeerSettings{});
    auto routes = RouteTable::Build(
        {{.contract = pb::StockStatus::descriptor()->file(), .peer = inventory_peer_.get()},
         {.contract = commerce::order::v1::Order::descriptor()->file(), .peer = order_peer_.get()}});
    ASSERT_TRUE(routes.ok()) << routes.status();
    routes_ = *std::move(routes);
    tunnels_ = std::make_unique<http::Tunnels>(http::TunnelSettings{.addresses = {options.tunnelled_to},
                                                                    .open_max = 2,
                                                                    .connect_timeout = absl::Seconds(5),
                                                                    .stall_timeout = absl::Seconds(5)});
    gateway_ = std::make_unique<Gateway>(
        routes_, *verifier_, *tunnels_, [this] { return ready_.load(); }, options.request_timeout);
    StartHttp(options);
    for (int i = 0; i < 2; ++i) threads_.emplace_back([this] { io_.run(); });
  }

  void StartHttp(const Options& options) {
    http::Settings settings{.address = "127.0.0.1:0",
                            .connections_max = 100,
                            .header_bytes_max = 16 << 10,
                            .body_bytes_max = 1 << 20,
                            .body_bytes_total_max = 16 << 20,
                            .read_timeout = options.read_timeout,
                            .idle_timeout = absl::Seconds(5),
                            .write_timeout = absl::Seconds(5)};
    http::Handlers handlers{
        .handle = [this](const http::Request& request,
                         http::Response& response) { return gateway_->Handle(request, response); },
        .refuse = [this](const http::Refusal& refusal,
                         http::Response& response) { gateway_->Refuse(refusal, response); }};
    http_ = std::make_unique<http::Server>(io_, settings, std::move(handlers));
    ASSERT_TRUE(http_->Start().ok());
  }

  void TearDown() override { Stop(); }

  void Stop() {
    http_.reset();
    tunnels_.reset();
    if (rpc_) rpc_->Shutdown(absl::Now());
    work_.reset();
    io_.stop();
    for (std::thread& thread : threads_) thread.join();
    std::filesystem::remove(jwks_file_);
  }

  std::string Ask(std::string_view line, std::string_view headers = "X-Tenant-Id: demo\r\n",
                  std::string_view body = {}) {
    TestClient client(http_->port());
    client.Send(Bytes(line, headers, body));
    return client.Receive();
  }

  static std::string Bytes(std::string_view line, std::string_view headers, std::string_view body = {}) {
    return Concat(line, " HTTP/1.1\r\nHost: x\r\n", headers,
                  body.empty() ? "" : Concat("Content-Length: ", body.size(), "\r\n"), "\r\n", body);
  }

  static std::string TokenHeader(Role role, std::string_view jwks = kJwks,
                                 absl::Duration lifetime = absl::Hours(1)) {
    return Concat("Authorization: Bearer ", Token(jwks, role, lifetime),
                  "\r\nContent-Type: application/json\r\n");
  }
  static std::string Token(std::string_view jwks, Role role, absl::Duration lifetime) {
    return testing::MakeToken(jwks, "demo", "user-1", role, lifetime);
  }

  static inline int files_ = 0;
  boost::asio::io_context io_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_ =
      boost::asio::make_work_guard(io_);
  std::vector<std::thread> threads_;
  std::string jwks_file_;
  std::atomic<bool> ready_{true};
  std::unique_ptr<auth::Verifier> verifier_;
  SmallInventory inventory_;
  std::unique_ptr<rpc::Server> rpc_;
  std::unique_ptr<rpc::Peer> inventory_peer_;
  std::unique_ptr<rpc::Peer> order_peer_;
  RouteTable routes_;
  std::unique_ptr<http::Tunnels> tunnels_;
  std::unique_ptr<Gateway> gateway_;
  std::unique_ptr<http::Server> http_;
};

constexpr std::string_view kAdjust = "POST /api/v1/inventory/A/adjustments";

TEST_F(GatewayTest, AnswersAPublicRead) {
  const std::string answer = Ask("GET /api/v1/inventory/MUG-1",
                                 "X-Tenant-Id: demo\r\nCorrelation-Id: corr-1\r\nX-Request-Id: req-1\r\n");
  EXPECT_EQ(StatusOf(answer), 200);
  EXPECT_EQ(
      BodyOf(answer),
      R"({"sku":"MUG-1","productId":"demo corr-1","onHand":5,"reserved":0,"available":0,"locations":[],"isHot":false})");
  EXPECT_EQ(HeaderOf(answer, "content-type"), "application/json");
  EXPECT_EQ(HeaderOf(answer, "correlation-id"), "corr-1");
  EXPECT_EQ(HeaderOf(answer, "x-request-id"), "req-1");
  EXPECT_EQ(HeaderOf(answer, "server"), "");
}

TEST_F(GatewayTest, MakesTheIdsThatAreMissing) {
  const std::string trace = "0af7651916cd43dd8448eb211c80319c";
  const std::string answer = Ask("GET /api/v1/inventory/A", Concat("X-Tenant-Id: demo\r\ntraceparent: 00-",
                                                                   trace, "-b7ad6b7169203331-01\r\n"));
  EXPECT_EQ(HeaderOf(answer, "x-request-id"), trace);
  EXPECT_EQ(HeaderOf(answer, "correlation-id"), trace);
  const std::string bad = Ask("GET /api/v1/inventory/A",
                              Concat("X-Tenant-Id: demo\r\nCorrelation-Id: ", std::string(129, 'a'), "\r\n"));
  EXPECT_EQ(StatusOf(bad), 400);
  EXPECT_THAT(BodyOf(bad), HasSubstr("\"field\":\"Correlation-Id\""));
}

TEST_F(GatewayTest, PassesOnWhoCallsAndTheKey) {
  const std::string answer = Ask(kAdjust, TokenHeader(Role::kStaff) + "Idempotency-Key: key-1\r\n",
                                 R"({"delta":3,"reason":"RECEIVED"})");
  EXPECT_EQ(StatusOf(answer), 201) << answer;
  EXPECT_THAT(BodyOf(answer), HasSubstr("\"productId\":\"user-1 key-1\""));
}

TEST_F(GatewayTest, RefusesByTokenRoleAndTenant) {
  const std::string body = R"({"delta":3,"reason":"RECEIVED"})";
  std::string answer = Ask(kAdjust, "X-Tenant-Id: demo\r\nContent-Type: application/json\r\n", body);
  EXPECT_EQ(StatusOf(answer), 401);
  EXPECT_EQ(HeaderOf(answer, "www-authenticate"), "Bearer");
  for (const std::string& headers :
       {TokenHeader(Role::kStaff, kOtherJwks), TokenHeader(Role::kStaff, kJwks, -absl::Hours(1)),
        std::string("Content-Type: application/json\r\nAuthorization: Basic eDp5\r\n"),
        std::string("Content-Type: application/json\r\nAuthorization: Bearer x.y.z\r\n")}) {
    answer = Ask(kAdjust, headers, body);
    EXPECT_EQ(StatusOf(answer), 401) << answer;
    EXPECT_EQ(HeaderOf(answer, "www-authenticate"), "Bearer error=\"invalid_token\"");
  }
  answer = Ask("GET /api/v1/inventory/A", TokenHeader(Role::kStaff, kOtherJwks));
  EXPECT_EQ(StatusOf(answer), 401) << "a public read with a forged token";
  EXPECT_EQ(StatusOf(Ask(kAdjust, TokenHeader(Role::kCustomer), body)), 403);
  answer = Ask(kAdjust, TokenHeader(Role::kStaff) + "X-Tenant-Id: other\r\n", body);
  EXPECT_EQ(StatusOf(answer), 403);
  EXPECT_THAT(BodyOf(answer), HasSubstr("TENANT_MISMATCH"));
  const std::string operators = testing::MakeToken(kJwks, "", "user-1", Role::kOperator);
  answer = Ask("GET /api/v1/inventory/A", Concat("Authorization: Bearer ", operators, "\r\n"));
  EXPECT_EQ(StatusOf(answer), 403) << "an operator, who has no tenant, by a public read";
  EXPECT_THAT(BodyOf(answer), HasSubstr("ROLE_NOT_ALLOWED"));
  EXPECT_EQ(StatusOf(Ask("GET /api/v1/inventory/A", "")), 400);
  EXPECT_EQ(StatusOf(Ask("GET /api/v1/inventory/A", "X-Tenant-Id: De mo\r\n")), 400);
  EXPECT_EQ(StatusOf(Ask("GET /api/v1/inventory/A", "X-Tenant-Id: demo\r\nX-Tenant-Id: demo\r\n")), 400);
}

TEST_F(GatewayTest, WhatCreatesNeedsAKey) {
  const std::string body = R"({"delta":3,"reason":"RECEIVED"})";
  const std::string refused = Ask(kAdjust, TokenHeader(Role::kStaff), body);
  EXPECT_EQ(StatusOf(refused), 400);
  EXPECT_THAT(BodyOf(refused), HasSubstr("Idempotency-Key"));
  const std::string made = Ask(kAdjust, TokenHeader(Role::kStaff) + "Idempotency-Key: key-1\r\n", body);
  EXPECT_EQ(StatusOf(made), 201);
  EXPECT_EQ(HeaderOf(made, "idempotency-replayed"), "");
  const std::string again = Ask(kAdjust, TokenHeader(Role::kStaff) + "Idempotency-Key: again\r\n", body);
  EXPECT_EQ(StatusOf(again), 201);
  EXPECT_EQ(HeaderOf(again, "idempotency-replayed"), "true");
}

TEST_F(GatewayTest, NamesWhatIsWrongWithABody) {
  const std::string token = TokenHeader(Role::kStaff) + "Idempotency-Key: key-1\r\n";
  std::string answer = Ask(kAdjust, token, R"({"delta":3)");
  EXPECT_EQ(StatusOf(answer), 400);
  EXPECT_EQ(HeaderOf(answer, "content-type"), "application/problem+json");
  EXPECT_THAT(BodyOf(answer), HasSubstr("\"type\":\"urn:bivouac:problem:malformed-json\""));
  answer = Ask(kAdjust, token, R"({"delta":"3"})");
  EXPECT_EQ(StatusOf(answer), 400);
  EXPECT_THAT(BodyOf(answer), HasSubstr("\"field\":\"delta\""));
  answer = Ask(kAdjust, token, R"({"delta":0})");
  EXPECT_EQ(StatusOf(answer), 422);
  EXPECT_THAT(BodyOf(answer), HasSubstr("\"detail\":\"delta: must not be 0\""));
  EXPECT_EQ(StatusOf(Ask(kAdjust, token, R"({"delta":-1})")), 409);
  EXPECT_EQ(StatusOf(Ask(kAdjust,
                         Concat("Idempotency-Key: key-1\r\nAuthorization: Bearer ",
                                Token(kJwks, Role::kStaff, absl::Hours(1)), "\r\n"),
                         "{}")),
            415);
}

TEST_F(GatewayTest, MapsTheErrorsOfTheServices) {
  std::string answer = Ask("GET /api/v1/inventory/UNKNOWN");
  EXPECT_EQ(StatusOf(answer), 404);
  EXPECT_THAT(BodyOf(answer), HasSubstr("\"code\":\"SKU_NOT_FOUND\""));
  answer = Ask("GET /api/v1/inventory/BROKEN");
  EXPECT_EQ(StatusOf(answer), 500);
  EXPECT_THAT(BodyOf(answer), Not(HasSubstr("relation")));
  answer = Ask("GET /api/v1/inventory/BUSY");
  EXPECT_EQ(StatusOf(answer), 429);
  EXPECT_EQ(HeaderOf(answer, "retry-after"), "7");
  answer = Ask("GET /api/v1/orders/ord_1", TokenHeader(Role::kCustomer));
  EXPECT_EQ(StatusOf(answer), 503) << answer;
  EXPECT_EQ(HeaderOf(answer, "retry-after"), "1");
}

TEST_F(GatewayTest, KnowsItsRoutes) {
  EXPECT_EQ(StatusOf(Ask("GET /nope")), 404);
  const std::string answer = Ask("DELETE /api/v1/orders");
  EXPECT_EQ(StatusOf(answer), 405);
  EXPECT_EQ(HeaderOf(answer, "allow"), "GET, HEAD, POST");
  EXPECT_EQ(StatusOf(Ask("GET /api/v1/inventory/A?nope=1")), 400);
  TestClient client(http_->port());
  client.Send(Bytes("HEAD /api/v1/inventory/A", "X-Tenant-Id: demo\r\n"));
  const std::string head = client.ReceiveHead();
  EXPECT_EQ(StatusOf(head), 200);
  EXPECT_NE(HeaderOf(head, "content-length"), "0");
}

TEST_F(GatewayTest, SaysWhetherItIsAliveAndReady) {
  EXPECT_EQ(StatusOf(Ask("GET /healthz", "")), 200);
  EXPECT_EQ(StatusOf(Ask("GET /readyz", "")), 200);
  ready_ = false;
  EXPECT_EQ(StatusOf(Ask("GET /healthz", "")), 200);
  EXPECT_EQ(StatusOf(Ask("GET /readyz", "")), 503);
}

TEST_F(GatewayTest, AnswersPipelinedRequestsInOrder) {
  TestClient client(http_->port());
  std::string bytes;
  for (int i = 0; i < 100; ++i) bytes += Bytes(Concat("GET /api/v1/inventory/S", i), "X-Tenant-Id: demo\r\n");
  ASSERT_TRUE(client.Send(bytes));
  for (int i = 0; i < 100; ++i)
    ASSERT_THAT(BodyOf(client.Receive()), HasSubstr(Concat("\"sku\":\"S", i, "\"")));
}

TEST_F(GatewayTest, RefusesALargeBodyBeforeReadingIt) {
  for (const std::string_view framing : {"Content-Length: 100000000\r\n", "Transfer-Encoding: chunked\r\n"}) {
    TestClient client(http_->port());
    ASSERT_TRUE(client.Send(Bytes(kAdjust, TokenHeader(Role::kStaff) + std::string(framing))));
    const std::string chunk = "10000\r\n" + std::string(0x10000, ' ') + "\r\n";
    for (int i = 0; i < 1526 && client.Send(chunk); ++i) {
    }
    const std::string answer = client.Receive();
    EXPECT_EQ(StatusOf(answer), 413);
    EXPECT_EQ(HeaderOf(answer, "content-type"), "application/problem+json");
    EXPECT_THAT(BodyOf(answer), HasSubstr("\"code\":\"BODY_TOO_LARGE\""));
  }
}

TEST_F(GatewayTest, TellsTheServiceThatTheClientHasGone) {
  TestClient client(http_->port());
  ASSERT_TRUE(client.Send(Bytes("GET /api/v1/inventory/SLOW", "X-Tenant-Id: demo\r\n")));
  inventory_.started.get_future().wait();
  client.Close();
  inventory_.cancelled.get_future().wait();
}

TEST_F(GatewayTest, DrainsWithoutFailingARequest) {
  TestClient client(http_->port());
  ASSERT_TRUE(client.Send(Bytes("GET /api/v1/inventory/A", "X-Tenant-Id: demo\r\n")));
  auto drained = std::async(std::launch::async, [this] { http_->Drain(absl::Now() + absl::Seconds(10)); });
  EXPECT_EQ(StatusOf(client.Receive()), 200);
  client.Close();
  drained.wait();
}

class ImpatientGatewayTest : public GatewayTest {
 protected:
  void SetUp() override {
    Start({.request_timeout = absl::Milliseconds(200), .read_timeout = absl::Milliseconds(200)});
  }
};

TEST_F(ImpatientGatewayTest, EndsACallAtItsDeadline) {
  const std::string answer = Ask("GET /api/v1/inventory/SLOW");
  EXPECT_EQ(StatusOf(answer), 504) << answer;
  inventory_.cancelled.get_future().wait();
}

TEST_F(ImpatientGatewayTest, EndsASlowSender) {
  TestClient client(http_->port());
  ASSERT_TRUE(client.Send("GET /api/v1/inventory/A HTTP/1.1\r\nHost: x\r\n"));
  const std::string answer = client.Receive();
  EXPECT_EQ(StatusOf(answer), 408);
  EXPECT_THAT(BodyOf(answer), HasSubstr("\"code\":\"REQUEST_TIMEOUT\""));
}

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
