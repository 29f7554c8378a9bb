// What goes to the GraphQL service and what comes back, with a stand-in for the service.
#include <gmock/gmock.h>

#include "libs/base/strings.h"
#include "services/gateway/tests/gateway_fixture.h"

namespace bv::gateway {
namespace {

using http::BodyOf;
using http::HeaderOf;
using http::StatusOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kJson = "X-Tenant-Id: demo\r\nContent-Type: application/json\r\n";

class ForwardTest : public GatewayTest {
 protected:
  void SetUp() override {
    http::Settings settings{.address = "127.0.0.1:0",
                            .connections_max = 100,
                            .header_bytes_max = 16 << 10,
                            .body_bytes_max = 1 << 20,
                            .body_bytes_total_max = 16 << 20,
                            .read_timeout = absl::Seconds(5),
                            .idle_timeout = absl::Seconds(5),
                            .write_timeout = absl::Seconds(5)};
    http::Handlers handlers{
        .handle = [this](const http::Request& request, http::Response& response) -> async::Task<void> {
          Answer(request, response);
          co_return;
        },
        .refuse = [](const http::Refusal& refusal,
                     http::Response& response) { response.status = refusal.status; },
    };
    service_ = std::make_unique<http::Server>(io_, settings, std::move(handlers));
    ASSERT_TRUE(service_->Start().ok());
    Start({.graphql_at = Concat("127.0.0.1:", service_->port())});
  }
  void TearDown() override {
    service_->Drain(absl::Now());
    GatewayTest::TearDown();
  }

  // Says what it was sent.
  void Answer(const http::Request& request, http::Response& response) {
    ++asked_;
    response.status = status_;
    response.AddHeader("Content-Type", "application/graphql-response+json");
    response.AddHeader("X-Powered-By", "a secret");
    response.body = Concat(request.method, " ", request.path, "?", request.query, "\n");
    for (const http::Header& header : request.headers)
      response.body += Concat(header.name, ": ", header.value, "\n");
    response.body += request.body;
  }

  std::atomic<int> asked_{0};
  std::atomic<int> status_{200};
  std::unique_ptr<http::Server> service_;
};

TEST_F(ForwardTest, AQueryGoesToTheServiceWithWhatItNeeds) {
  const std::string answer =
      Ask("POST /graphql",
          Concat(kJson,
                 "Accept: application/graphql-response+json\r\nX-Request-Id: r-1\r\nCorrelation-Id: "
                 "c-1\r\nCookie: a=b\r\nX-Forwarded-For: 10.0.0.9\r\n"),
          R"({"query":"{__typename}"})");
  EXPECT_EQ(StatusOf(answer), 200);
  EXPECT_EQ(HeaderOf(answer, "Content-Type"), "application/graphql-response+json");
  EXPECT_EQ(HeaderOf(answer, "X-Powered-By"), "");
  EXPECT_EQ(HeaderOf(answer, "X-Request-Id"), "r-1");
  const std::string sent = BodyOf(answer);
  for (const char* part :
       {"POST /graphql?\n", "X-Tenant-Id: demo\n", "Accept: application/graphql-response+json\n",
        "X-Request-Id: r-1\n", "Correlation-Id: c-1\n", "traceparent: 00-", R"({"query":"{__typename}"})"}) {
    EXPECT_THAT(sent, HasSubstr(part));
  }
  EXPECT_THAT(sent, Not(HasSubstr("Cookie")));
  EXPECT_THAT(sent, Not(HasSubstr("X-Forwarded-For")));
}

TEST_F(ForwardTest, APersistedQueryKeepsItsParameters) {
  const std::string answer = Ask("GET /graphql?extensions=%7B%7D&variables=%7B%7D");
  EXPECT_EQ(StatusOf(answer), 200);
  EXPECT_THAT(BodyOf(answer), HasSubstr("GET /graphql?extensions=%7B%7D&variables=%7B%7D\n"));
  EXPECT_EQ(HeaderOf(answer, "Cache-Control"), "private, no-store");
}

TEST_F(ForwardTest, TheTenantOfATokenIsTheOneThatTheServiceHears) {
  const std::string answer = Ask("POST /graphql", TokenHeader(Role::kCustomer), "{}");
  EXPECT_EQ(StatusOf(answer), 200);
  EXPECT_THAT(BodyOf(answer), HasSubstr("Authorization: Bearer "));
  EXPECT_THAT(BodyOf(answer), HasSubstr("X-Tenant-Id: "));
}

TEST_F(ForwardTest, WhoMayNotReadProductsCostsTheServiceNothing) {
  EXPECT_EQ(StatusOf(Ask("POST /graphql", "Content-Type: application/json\r\n", "{}")), 400);
  EXPECT_EQ(StatusOf(Ask("POST /graphql", Concat(kJson, "Authorization: Bearer nonsense\r\n"), "{}")), 401);
  EXPECT_EQ(asked_, 0);
}

TEST_F(ForwardTest, WhatIsNoQueryCostsTheServiceNothing) {
  const std::string large = Ask("POST /graphql", kJson, std::string(Forward::kBodyBytesMax + 1, 'x'));
  EXPECT_EQ(StatusOf(large), 413);
  EXPECT_THAT(BodyOf(large), HasSubstr("BODY_TOO_LARGE"));
  const std::string text =
      Ask("POST /graphql", "X-Tenant-Id: demo\r\nContent-Type: text/plain\r\n", "{__typename}");
  EXPECT_EQ(StatusOf(text), 415);
  const std::string put = Ask("PUT /graphql", kJson, "{}");
  EXPECT_EQ(StatusOf(put), 405);
  EXPECT_EQ(HeaderOf(put, "Allow"), "GET, POST, OPTIONS");
  const std::string options = Ask("OPTIONS /graphql");
  EXPECT_EQ(StatusOf(options), 204);
  EXPECT_EQ(HeaderOf(options, "Allow"), "GET, POST, OPTIONS");
  EXPECT_EQ(asked_, 0);
}

TEST_F(ForwardTest, ARefusalOfTheServiceIsTheClients) {
  status_ = 400;
  const std::string answer = Ask("POST /graphql", kJson, "{}");
  EXPECT_EQ(StatusOf(answer), 400);
  EXPECT_EQ(HeaderOf(answer, "Content-Type"), "application/graphql-response+json");
}

TEST_F(ForwardTest, AServiceThatFailsSaysNothingOfTheInside) {
  status_ = 500;
  const std::string failed = Ask("POST /graphql", kJson, "{}");
  EXPECT_EQ(StatusOf(failed), 500);
  EXPECT_EQ(HeaderOf(failed, "Content-Type"), "application/problem+json");
  EXPECT_THAT(BodyOf(failed), Not(HasSubstr("traceparent")));
  status_ = 503;
  EXPECT_EQ(StatusOf(Ask("POST /graphql", kJson, "{}")), 503);
}

// Nobody listens where the fixture's gateway looks for the service.
using NobodyThereTest = GatewayTest;

TEST_F(NobodyThereTest, AServiceThatIsAwayIs503WithoutItsAddress) {
  const std::string answer = Ask("POST /graphql", kJson, "{}");
  EXPECT_EQ(StatusOf(answer), 503);
  EXPECT_THAT(BodyOf(answer), HasSubstr("PEER_UNAVAILABLE"));
  EXPECT_THAT(answer, Not(HasSubstr("127.0.0.1")));
  EXPECT_NE(HeaderOf(answer, "Retry-After"), "");
}

}  // namespace
}  // namespace bv::gateway
