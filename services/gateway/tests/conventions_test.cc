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
using ::testing::MatchesRegex;
using ::testing::Not;

constexpr std::string_view kTenant = "X-Tenant-Id: demo\r\n";
constexpr std::string_view kProduct = "GET /api/v1/products/prd_1";
constexpr std::string_view kUpdate = "PATCH /api/v1/products/prd_1";
constexpr std::string_view kBody = R"({"title":"Cup"})";

class ConventionsTest : public GatewayTest {
 protected:
  std::string Update(std::string_view headers, std::string_view body = kBody) {
    return Ask(kUpdate, Concat(TokenHeader(Role::kStaff), headers), body);
  }
};

TEST_F(ConventionsTest, ATagIsTheSameForTheSameAnswer) {
  const std::string tag = HeaderOf(Ask(kProduct), "etag");
  EXPECT_THAT(tag, MatchesRegex("\"7-[0-9a-f]{16}\""));
  EXPECT_EQ(HeaderOf(Ask(kProduct), "etag"), tag);
  EXPECT_EQ(HeaderOf(Ask("HEAD /api/v1/products/prd_1"), "etag"), tag);
  EXPECT_NE(HeaderOf(Ask("GET /api/v1/products/prd_2"), "etag"), tag);
  EXPECT_NE(HeaderOf(Ask("GET /api/v1/products/prd_1?fields=title"), "etag"), tag);
  const std::string stock =
      HeaderOf(Ask("GET /api/v1/inventory/A", Concat(kTenant, "Correlation-Id: c\r\n")), "etag");
  EXPECT_THAT(stock, MatchesRegex("\"[0-9a-f]{16}\"")) << "a message without a version";
  EXPECT_EQ(HeaderOf(Ask("GET /api/v1/inventory/UNKNOWN"), "etag"), "");
}

TEST_F(ConventionsTest, WhatWasSeenIsNotSentAgain) {
  const std::string tag = HeaderOf(Ask(kProduct), "etag");
  for (const std::string& seen : {tag, Concat("W/", tag), Concat("\"x\", ", tag), std::string("*"),
                                  Concat(tag.substr(0, tag.size() - 1), "-gzip\"")}) {
    const std::string answer = Ask(kProduct, Concat(kTenant, "If-None-Match: ", seen, "\r\n"));
    EXPECT_EQ(StatusOf(answer), 304) << seen;
    EXPECT_EQ(BodyOf(answer), "");
    EXPECT_EQ(HeaderOf(answer, "etag"), tag);
    EXPECT_EQ(HeaderOf(answer, "content-length"), "");
    EXPECT_EQ(HeaderOf(answer, "cache-control"), "public, max-age=5, s-maxage=10, stale-while-revalidate=25");
  }
  for (const char* other : {"\"7\"", "\"7-0000000000000000\"", "garbage", "\"", "W/"})
    EXPECT_EQ(StatusOf(Ask(kProduct, Concat(kTenant, "If-None-Match: ", other, "\r\n"))), 200) << other;
  EXPECT_EQ(StatusOf(Ask(kProduct, Concat(kTenant, "If-Match: \"8-0000000000000000\"\r\n"))), 412);
}

TEST_F(ConventionsTest, TheConnectionGoesOnAfterA304) {
  TestClient client(http_->port());
  client.Send(Concat(Bytes(kProduct, Concat(kTenant, "If-None-Match: *\r\n")), Bytes(kProduct, kTenant)));
  EXPECT_EQ(StatusOf(client.Receive()), 304);
  EXPECT_EQ(StatusOf(client.Receive()), 200);
}

TEST_F(ConventionsTest, AnUpdateIsOfWhatWasSeen) {
  const std::string seen = HeaderOf(Ask(kProduct), "etag");
  std::string answer = Update(Concat("If-Match: ", seen, "\r\n"));
  EXPECT_EQ(StatusOf(answer), 200) << answer;
  EXPECT_THAT(HeaderOf(answer, "etag"), MatchesRegex("\"8-[0-9a-f]{16}\""));
  EXPECT_EQ(StatusOf(Update("If-Match: *\r\n")), 200);
  for (const char* other : {"\"6-0000000000000000\"", "\"other\"", "W/\"7-0000000000000000\"", "\"\""}) {
    answer = Update(Concat("If-Match: ", other, "\r\n"));
    EXPECT_EQ(StatusOf(answer), 412) << other;
    EXPECT_THAT(BodyOf(answer), HasSubstr("\"code\":\"VERSION_CONFLICT\"")) << other;
    EXPECT_EQ(HeaderOf(answer, "etag"), "");
  }
  EXPECT_EQ(StatusOf(Update("", R"({"expectedVersion":6})")), 409) << "without the header it is a conflict";
  EXPECT_EQ(StatusOf(Update(Concat("If-Match: ", seen, "\r\n"), R"({"title":"busy"})")), 409)
      << "another conflict than that of versions";
}

TEST_F(ConventionsTest, APreconditionThatCannotBeKeptIsRefused) {
  const std::string seen = HeaderOf(Ask(kProduct), "etag");
  EXPECT_EQ(StatusOf(Update(Concat("If-Match: ", seen, "\r\n"), R"({"expectedVersion":6})")), 400);
  EXPECT_EQ(StatusOf(Update(Concat("If-Match: ", seen, "\r\n"), R"({"expectedVersion":7})")), 200);
  for (const std::string& headers : {std::string("If-Match: 7\r\n"), std::string("If-None-Match: *\r\n"),
                                     Concat("If-Match: ", seen, ", \"x\"\r\n"),
                                     Concat("If-Match: ", seen, "\r\nIf-Match: ", seen, "\r\n")}) {
    const std::string answer = Update(headers);
    EXPECT_EQ(StatusOf(answer), 400) << headers;
    EXPECT_THAT(BodyOf(answer), HasSubstr("PRECONDITION_NOT_SUPPORTED")) << headers;
  }
  const std::string answer =
      Ask(kAdjust, Concat(TokenHeader(Role::kStaff), "Idempotency-Key: k\r\nIf-Match: *\r\n"),
          R"({"delta":3,"reason":"RECEIVED"})");
  EXPECT_EQ(StatusOf(answer), 400) << "a route without an expected version";
}

TEST_F(ConventionsTest, SelectsFields) {
  std::string answer = Ask("GET /api/v1/products/prd_2?fields=title,variants.price");
  EXPECT_EQ(BodyOf(answer), R"({"title":"Mug","variants":[{"price":12.95},{"price":12.95}]})");
  answer = Ask("GET /api/v1/products?pageSize=2&fields=products.productId,nextPageToken");
  EXPECT_EQ(BodyOf(answer),
            R"({"products":[{"productId":"prd_0"},{"productId":"prd_1"}],"nextPageToken":"more"})");
  answer = Ask("GET /api/v1/products/prd_2?fields=title%2Cnope");
  EXPECT_EQ(StatusOf(answer), 400);
  EXPECT_THAT(BodyOf(answer), HasSubstr("\"detail\":\"fields: the answer has no nope\""));
  EXPECT_THAT(BodyOf(answer), HasSubstr("\"code\":\"UNKNOWN_FIELD\""));
  EXPECT_EQ(StatusOf(Ask("GET /api/v1/products/prd_2?fields=title&fields=version")), 400) << "given twice";
  EXPECT_EQ(StatusOf(Ask("PATCH /api/v1/products/prd_1?fields=title", TokenHeader(Role::kStaff), kBody)),
            400);
}

TEST_F(ConventionsTest, CompressesLongAnswers) {
  const std::string plain = Ask("GET /api/v1/products/prd_50");
  const std::string packed =
      Ask("GET /api/v1/products/prd_50", Concat(kTenant, "Accept-Encoding: br, gzip\r\n"));
  EXPECT_EQ(HeaderOf(packed, "content-encoding"), "gzip");
  EXPECT_LT(BodyOf(packed).size() * 4, BodyOf(plain).size());
  EXPECT_EQ(BodyOf(packed).substr(0, 2), "\x1f\x8b");
  for (const std::string& answer : {plain, packed})
    EXPECT_THAT(HeaderOf(answer, "vary"), HasSubstr("Accept-Encoding"));
  EXPECT_THAT(HeaderOf(packed, "etag"), HasSubstr("-gzip\""));
  const std::string again =
      Ask("GET /api/v1/products/prd_50",
          Concat(kTenant, "Accept-Encoding: gzip\r\nIf-None-Match: ", HeaderOf(packed, "etag"), "\r\n"));
  EXPECT_EQ(StatusOf(again), 304);
  EXPECT_EQ(HeaderOf(Ask(kProduct, Concat(kTenant, "Accept-Encoding: gzip\r\n")), "content-encoding"), "");
  const std::string refused = Update("Content-Encoding: gzip\r\n");
  EXPECT_EQ(StatusOf(refused), 415);
  EXPECT_THAT(BodyOf(refused), HasSubstr("UNSUPPORTED_CONTENT_ENCODING"));
}

TEST_F(ConventionsTest, CachesMayKeepWhatIsPublic) {
  constexpr std::string_view kPublic = "public, max-age=5, s-maxage=10, stale-while-revalidate=25";
  constexpr std::string_view kPrivate = "private, no-store";
  const std::string answer = Ask(kProduct);
  EXPECT_EQ(HeaderOf(answer, "cache-control"), kPublic);
  EXPECT_EQ(HeaderOf(answer, "vary"), "X-Tenant-Id, Authorization");
  EXPECT_EQ(HeaderOf(Ask(kProduct, TokenHeader(Role::kStaff)), "cache-control"), kPrivate)
      << "a token may show more";
  for (const char* line : {"GET /api/v1/products:search?q=mug", "GET /api/v1/categories"}) {
    const std::string found = Ask(line);
    EXPECT_EQ(StatusOf(found), 200) << found;
    EXPECT_EQ(HeaderOf(found, "cache-control"), kPublic);
    EXPECT_EQ(HeaderOf(found, "vary"), "X-Tenant-Id, Authorization");
    EXPECT_EQ(StatusOf(Ask(line, Concat(kTenant, "If-None-Match: ", HeaderOf(found, "etag"), "\r\n"))), 304);
    EXPECT_EQ(HeaderOf(Ask(line, TokenHeader(Role::kCustomer)), "cache-control"), kPrivate);
  }
  EXPECT_EQ(HeaderOf(Ask("GET /api/v1/inventory/UNKNOWN"), "cache-control"), kPrivate);
  EXPECT_EQ(HeaderOf(Ask("GET /nope"), "cache-control"), kPrivate);
  EXPECT_EQ(HeaderOf(Update(""), "cache-control"), kPrivate);
}

TEST_F(ConventionsTest, SaysWhatAPathHas) {
  const std::string answer = Ask("OPTIONS /api/v1/products/prd_1", "Origin: https://shop.example\r\n");
  EXPECT_EQ(StatusOf(answer), 204);
  EXPECT_EQ(HeaderOf(answer, "allow"), "GET, HEAD, PATCH, OPTIONS");
  EXPECT_EQ(HeaderOf(answer, "access-control-allow-origin"), "") << "by default no other origin";
  EXPECT_EQ(StatusOf(Ask("OPTIONS /nope")), 404);
}

class OpenGatewayTest : public GatewayTest {
 protected:
  void SetUp() override { Start({.origins = {"https://shop.example"}}); }
};

TEST_F(OpenGatewayTest, LetsPagesIn) {
  const std::string preflight = Ask("OPTIONS /api/v1/products/prd_1",
                                    "Origin: https://shop.example\r\nAccess-Control-Request-Method: PATCH\r\n"
                                    "Access-Control-Request-Headers: authorization\r\n");
  EXPECT_EQ(StatusOf(preflight), 204);
  EXPECT_EQ(HeaderOf(preflight, "access-control-allow-origin"), "https://shop.example");
  EXPECT_EQ(HeaderOf(preflight, "access-control-allow-methods"), "GET, HEAD, PATCH, OPTIONS");
  EXPECT_EQ(HeaderOf(preflight, "access-control-allow-headers"), "authorization");
  for (const std::string_view line : {kProduct, std::string_view("GET /api/v1/orders/x")}) {
    const std::string answer = Ask(line, Concat(kTenant, "Origin: https://shop.example\r\n"));
    EXPECT_EQ(HeaderOf(answer, "access-control-allow-origin"), "https://shop.example") << answer;
    EXPECT_THAT(HeaderOf(answer, "vary"), HasSubstr("Origin"));
  }
  const std::string stranger = Ask(kProduct, Concat(kTenant, "Origin: https://evil.example\r\n"));
  EXPECT_EQ(HeaderOf(stranger, "access-control-allow-origin"), "");
  EXPECT_THAT(HeaderOf(stranger, "vary"), HasSubstr("Origin"));
}

class LimitedGatewayTest : public GatewayTest {
 protected:
  // So slow that none comes back during a test.
  void SetUp() override {
    Start({.trusted_proxies = {"127.0.0.1"},
           .limits = {.tenant = {.rate = 0.01, .burst = 8},
                      .token = {.rate = 0.01, .burst = 3},
                      .address = {.rate = 0.01, .burst = 5},
                      .keys_max = 1000}});
  }
  std::string From(std::string_view address, std::string_view headers = kTenant) {
    return Ask(kProduct, Concat(headers, "X-Forwarded-For: ", address, "\r\n"));
  }
};

TEST_F(LimitedGatewayTest, SaysHowMuchIsLeft) {
  const std::string answer = From("192.0.2.1");
  EXPECT_EQ(HeaderOf(answer, "ratelimit"), "\"address\";r=4;t=100");
  EXPECT_EQ(HeaderOf(answer, "ratelimit-policy"),
            "\"address\";q=5;w=500, \"tenant\";q=8;w=800, \"token\";q=3;w=300");
}

TEST_F(LimitedGatewayTest, ByAddress) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(StatusOf(Ask("GET /nope", "X-Forwarded-For: 192.0.2.1\r\n")), 404);
  const std::string refused = From("192.0.2.1");
  EXPECT_EQ(StatusOf(refused), 429);
  EXPECT_THAT(BodyOf(refused), HasSubstr("\"code\":\"RATE_LIMITED\""));
  EXPECT_THAT(HeaderOf(refused, "retry-after"), MatchesRegex("99|100"));
  EXPECT_THAT(HeaderOf(refused, "ratelimit"), MatchesRegex("\"address\";r=0;t=(49.|500)"));
  EXPECT_EQ(StatusOf(Ask("GET /sse/flash-sales", "X-Forwarded-For: 192.0.2.1\r\n")), 429)
      << "connections too";
  EXPECT_EQ(StatusOf(From("192.0.2.2")), 200);
  EXPECT_EQ(StatusOf(From("192.0.2.1, 192.0.2.3")), 200) << "the first is only what the second says";
  EXPECT_EQ(StatusOf(Ask("GET /healthz", "X-Forwarded-For: 192.0.2.1\r\n")), 200)
      << "whoever watches is let in";
  for (const char* v6 : {"2001:db8::1", "2001:db8::2", "2001:db8:0:0:ffff::", "2001:db8::4", "2001:db8::5"})
    EXPECT_EQ(StatusOf(Ask("GET /nope", Concat("X-Forwarded-For: ", v6, "\r\n"))), 404);
  EXPECT_EQ(StatusOf(From("2001:db8::6")), 429) << "one customer";
  EXPECT_EQ(StatusOf(From("2001:db8:0:1::6")), 200) << "another one";
}

TEST_F(LimitedGatewayTest, ByTokenAndByTenant) {
  const std::string token = TokenHeader(Role::kCustomer);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(StatusOf(From(Concat("192.0.2.", i), token)), 200);
  std::string refused = From("192.0.2.9", TokenHeader(Role::kCustomer));
  EXPECT_EQ(StatusOf(refused), 429) << "whose it is counts, not which one";
  EXPECT_THAT(BodyOf(refused), HasSubstr("too many requests by this token"));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(StatusOf(From(Concat("192.0.2.", i))), 200);
  refused = From("192.0.2.9");
  EXPECT_EQ(StatusOf(refused), 429);
  EXPECT_THAT(BodyOf(refused), HasSubstr("too many requests by this tenant"));
  EXPECT_EQ(StatusOf(From("192.0.2.9", "X-Tenant-Id: other\r\n")), 200);
}

class BusyGatewayTest : public GatewayTest {
 protected:
  // Lists 2, other reads 2, changes 3, orders 4.
  void SetUp() override { Start({.calls_max = 4}); }
  void TearDown() override {
    inventory_.LetGo();
    GatewayTest::TearDown();
  }

  // Begins a call and waits until it is under way.
  void Hold() {
    const int before = inventory_.held;
    holders_.push_back(std::make_unique<TestClient>(http_->port()));
    holders_.back()->Send(Bytes("GET /api/v1/inventory/HELD", kTenant));
    while (inventory_.held == before) std::this_thread::yield();
  }

  std::vector<std::unique_ptr<TestClient>> holders_;
};

TEST_F(BusyGatewayTest, OrdersComeBeforeEverythingElse) {
  const std::string staff = TokenHeader(Role::kStaff) + "Idempotency-Key: k\r\n";
  constexpr std::string_view kAdjustment = R"({"delta":3,"reason":"RECEIVED"})";
  Hold();
  EXPECT_EQ(StatusOf(Ask("GET /api/v1/products?pageSize=1")), 200);
  Hold();
  const std::string shed = Ask("GET /api/v1/products?pageSize=1");
  EXPECT_EQ(StatusOf(shed), 503);
  EXPECT_THAT(BodyOf(shed), HasSubstr("\"code\":\"OVERLOADED\""));
  EXPECT_EQ(HeaderOf(shed, "retry-after"), "1");
  EXPECT_EQ(StatusOf(Ask(kProduct)), 503);
  EXPECT_EQ(StatusOf(Ask(kAdjust, staff, kAdjustment)), 201);
  // An order is let in, and only then finds nobody.
  const std::string order = Ask("POST /api/v1/orders/ord_1/cancel", staff, "{}");
  EXPECT_THAT(BodyOf(order), Not(HasSubstr("OVERLOADED")));
  inventory_.LetGo();
  for (auto& holder : holders_) EXPECT_EQ(StatusOf(holder->Receive()), 200);
  EXPECT_EQ(StatusOf(Ask(kProduct)), 200) << "when it is over";
}

}  // namespace
}  // namespace bv::gateway
