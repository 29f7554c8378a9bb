#include <gmock/gmock.h>

#include <future>

#include "libs/base/strings.h"
#include "libs/testing/testing.h"
#include "services/gateway/tests/gateway_fixture.h"

namespace bv::gateway {
namespace {

using http::BodyOf;
using http::HeaderOf;
using http::StatusOf;
using http::TestClient;
using ::testing::HasSubstr;
using ::testing::Not;

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
  EXPECT_EQ(HeaderOf(answer, "allow"), "GET, HEAD, POST, OPTIONS");
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

}  // namespace
}  // namespace bv::gateway
