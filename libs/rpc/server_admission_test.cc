// Which calls the server lets through, and what it tells the handler of their callers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "libs/base/error.h"
#include "libs/rpc/rpc_fixture_test.h"

namespace bv::rpc {
namespace {

TEST_F(RpcTest, TheHandlerKnowsWhoCalls) {
  Start();
  RequestContext context = As(Role::kStaff);
  context.idempotency_key = "key-1";
  context.trace.sampled = true;
  ASSERT_TRUE(Adjust(context).ok());
  const RequestContext seen = stock_.context();
  EXPECT_EQ(seen.tenant.str(), "acme");
  EXPECT_EQ(seen.user_id, "user-1");
  EXPECT_EQ(seen.role, Role::kStaff);
  EXPECT_EQ(seen.correlation_id, "correlation-1");
  EXPECT_EQ(seen.idempotency_key, "key-1");
  EXPECT_EQ(seen.bearer_token, context.bearer_token) << "to be passed on";
  EXPECT_EQ(seen.trace.trace_id, context.trace.trace_id);
  EXPECT_TRUE(seen.trace.sampled);
}

TEST_F(RpcTest, ACallWithoutACorrelationIdGetsItsTrace) {
  Start();
  RequestContext context = As(Role::kCustomer);
  context.correlation_id = "";
  ASSERT_TRUE(Reserve(context).ok());
  EXPECT_EQ(stock_.context().correlation_id, context.trace.trace_id);
}

TEST_F(RpcTest, RefusesACallWithoutAGoodToken) {
  Start();
  const auto reason = [this](const std::string& token) {
    RequestContext context = As(Role::kCustomer);
    context.bearer_token = token;
    const absl::Status status = Reserve(context).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated) << token;
    return ErrorReason(status);
  };
  EXPECT_EQ(reason(""), "TOKEN_MISSING");
  EXPECT_EQ(reason("not.a.token"), "TOKEN_MALFORMED");
  EXPECT_EQ(reason(jwks_.Token("acme", "user-1", Role::kCustomer, -absl::Hours(1))), "TOKEN_EXPIRED");
  const testing::JwksFile forger('f');
  EXPECT_EQ(reason(forger.Token("acme", "user-1", Role::kCustomer)), "TOKEN_INVALID");
  EXPECT_EQ(stock_.calls(), 0);
}

TEST_F(RpcTest, RefusesAServiceThatTheContractDoesNotName) {
  Start();
  const auto adjust_as = [this](const std::string& service) {
    RequestContext context = As(Role::kService);
    context.bearer_token = jwks_.Token("acme", service, Role::kService);
    return Adjust(context);
  };
  EXPECT_TRUE(adjust_as("product-service").ok());
  EXPECT_EQ(stock_.calls(), 1);
  for (const char* service : {"order-service", "product-service ", "Product-Service", "user-1"}) {
    const absl::Status status = adjust_as(service);
    EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied) << service;
    EXPECT_EQ(ErrorReason(status), "CALLER_NOT_ALLOWED") << service;
  }
  EXPECT_EQ(stock_.calls(), 1);
  RequestContext impostor = As(Role::kCustomer);
  impostor.bearer_token = jwks_.Token("acme", "product-service", Role::kCustomer);
  EXPECT_EQ(ErrorReason(Adjust(impostor)), "ROLE_NOT_ALLOWED") << "the name alone opens nothing";
}

TEST_F(RpcTest, RefusesARoleThatTheContractDoesNotName) {
  Start();
  const absl::Status status = Adjust(As(Role::kCustomer));
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(ErrorReason(status), "ROLE_NOT_ALLOWED");
  EXPECT_EQ(stock_.calls(), 0);
  EXPECT_TRUE(Adjust(As(Role::kAdmin)).ok());
}

TEST_F(RpcTest, StaffTakesThePermissionThatTheContractNames) {
  Start();
  std::int64_t version = 0;
  const auto given = [this, &version](std::vector<std::string> permissions) {
    verifier_->staff().Put(
        TenantId::Trusted("acme"), "user-1",
        {.is_active = true, .grants = {{"north", std::move(permissions)}}, .version = ++version});
  };
  EXPECT_TRUE(Adjust(As(Role::kStaff)).ok()) << "has no account, and strangers are allowed";
  verifier_->staff().AllowUnknown(false);
  absl::Status status = Adjust(As(Role::kStaff));
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(ErrorReason(status), "PERMISSION_MISSING");
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("stock.write"));
  given({"orders.read", "prices.write"});
  EXPECT_EQ(ErrorReason(Adjust(As(Role::kStaff))), "PERMISSION_MISSING");
  EXPECT_EQ(stock_.calls(), 1);
  EXPECT_TRUE(Query(As(Role::kStaff)).ok()) << "takes none";
  EXPECT_TRUE(Adjust(As(Role::kAdmin)).ok()) << "has all";
  given({"stock.write"});
  EXPECT_TRUE(Adjust(As(Role::kStaff)).ok());
  EXPECT_EQ(ErrorReason(Adjust(As(Role::kStaff, "globex"))), "PERMISSION_MISSING")
      << "given in another tenant";
  EXPECT_TRUE(Reserve(As(Role::kCustomer)).ok()) << "is not concerned";
}

TEST_F(RpcTest, RefusesATokenThatWasRevoked) {
  Start();
  ASSERT_TRUE(Query(As(Role::kCustomer)).ok());
  verifier_->revocations().Add({.tenant = TenantId::Trusted("acme"),
                                .subject = "user-1",
                                .issued_until = absl::Now() + absl::Seconds(1),
                                .forget_after = absl::Now() + absl::Hours(1)});
  const absl::Status status = Query(As(Role::kCustomer));
  EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated) << "also where no token is needed";
  EXPECT_EQ(ErrorReason(status), "TOKEN_REVOKED");
  EXPECT_EQ(stock_.calls(), 1);
}

TEST_F(RpcTest, AnOperatorMayCallNothingOfATenant) {
  Start();
  EXPECT_EQ(ErrorReason(Adjust(As(Role::kOperator, ""))), "ROLE_NOT_ALLOWED");
  EXPECT_EQ(ErrorReason(Query(As(Role::kOperator, ""))), "ROLE_NOT_ALLOWED") << "what is public has a tenant";
  RequestContext context = As(Role::kOperator, "");
  context.tenant = TenantId::Trusted("acme");
  EXPECT_EQ(ErrorReason(Query(context)), "TENANT_MISMATCH");
  EXPECT_EQ(stock_.calls(), 0);
}

TEST_F(RpcTest, WantsAKeyWhereTheContractDoes) {
  settings_.idempotency_key_required = true;
  Start();
  EXPECT_EQ(ErrorReason(Adjust(As(Role::kCustomer))), "ROLE_NOT_ALLOWED")
      << "who may not call is told so first";
  const absl::Status status = Adjust(As(Role::kAdmin));
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ErrorReason(status), "IDEMPOTENCY_KEY_MISSING");
  RequestContext context = As(Role::kAdmin);
  context.idempotency_key = "key-1";
  EXPECT_TRUE(Adjust(context).ok());
}

TEST_F(RpcTest, TheTenantMustBeTheTokens) {
  Start();
  RequestContext context = As(Role::kStaff);
  context.tenant = TenantId::Trusted("globex");
  const absl::Status status = Adjust(context);
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(ErrorReason(status), "TENANT_MISMATCH");
  EXPECT_EQ(ErrorReason(Query(context)), "TENANT_MISMATCH") << "for a public call too";
  context.tenant = {};
  EXPECT_TRUE(Adjust(context).ok()) << "it need not be said twice";
  EXPECT_EQ(stock_.context().tenant.str(), "acme");
}

TEST_F(RpcTest, APublicCallNamesItsTenant) {
  Start();
  RequestContext context = testing::ContextOf("acme");
  ASSERT_TRUE(Query(context).ok());
  EXPECT_EQ(stock_.context().tenant.str(), "acme");
  EXPECT_EQ(stock_.context().role, Role::kNone);
  EXPECT_EQ(stock_.context().user_id, "");
  context.tenant = {};
  EXPECT_EQ(GetErrorDetail(Query(context)).field, "x-tenant-id");
  context.tenant = TenantId::Trusted("Not A Tenant");
  EXPECT_EQ(ErrorReason(Query(context)), "INVALID_VALUE");
  context = testing::ContextOf("acme");
  context.bearer_token = "not.a.token";
  EXPECT_EQ(ErrorReason(Query(context)), "TOKEN_MALFORMED") << "a bad token is not the same as none";
}

TEST_F(RpcTest, RefusesHeadersThatAreTooLong) {
  Start();
  RequestContext context = As(Role::kCustomer);
  context.correlation_id = std::string(256, 'x');
  const absl::Status status = Reserve(context).status();
  EXPECT_EQ(ErrorReason(status), "INVALID_HEADER");
  EXPECT_EQ(GetErrorDetail(status).field, "correlation-id");
}

TEST_F(RpcTest, RefusesRequestsThatAreTooLarge) {
  Start();
  pb::ReserveRequest request;
  request.set_reservation_id(std::string(5000, 'x'));
  EXPECT_EQ(Reserve(As(Role::kCustomer), request).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(stock_.calls(), 0);
}

TEST_F(RpcTest, AStrangersDeadlineIsTheirsOrTheDefault) {
  Start();
  const auto stub = pb::Inventory::NewStub(grpc::CreateChannel(address_, grpc::InsecureChannelCredentials()));
  const auto query = [&](std::optional<absl::Duration> timeout) {
    grpc::ClientContext context;
    context.AddMetadata("x-tenant-id", "acme");
    if (timeout) context.set_deadline(absl::ToChronoTime(absl::Now() + *timeout));
    pb::StockStatus response;
    EXPECT_TRUE(stub->QueryStock(&context, {}, &response).ok());
    return stock_.context().deadline - absl::Now();
  };
  EXPECT_LT(absl::AbsDuration(query(std::nullopt) - absl::Seconds(10)), absl::Seconds(1));
  EXPECT_LT(absl::AbsDuration(query(absl::Seconds(60)) - absl::Seconds(60)), absl::Seconds(1));
}

TEST_F(RpcTest, RefusesMoreCallsThanItHandles) {
  settings_.calls_max = 2;
  Start();
  auto first = StartRelease(As(Role::kCustomer));
  auto second = StartRelease(As(Role::kCustomer));
  stock_.gate.Await(2);
  const absl::Status refused = Query(testing::ContextOf("acme"));
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ErrorReason(refused), "OVERLOADED");
  EXPECT_TRUE(GetErrorDetail(refused).retry_after.has_value());
  stock_.gate.Open();
  EXPECT_TRUE(first.get().ok());
  EXPECT_TRUE(second.get().ok());
  EXPECT_TRUE(Query(testing::ContextOf("acme")).ok());
}

}  // namespace
}  // namespace bv::rpc
