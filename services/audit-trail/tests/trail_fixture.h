// The trail with the real database and Kafka; each test is a tenant of its own.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "libs/audit/audit.h"
#include "libs/base/id.h"
#include "libs/base/strings.h"
#include "libs/kafka/dead_letters.h"
#include "libs/testing/kafka/kafka_topic.h"
#include "libs/testing/testing.h"
#include "services/audit-trail/events/trail.h"
#include "services/audit-trail/rpc/audit_rpc.h"

namespace bv::audit_trail {

class TrailTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { database_ = std::make_unique<testing::Database>("audit-trail"); }
  static void TearDownTestSuite() { database_.reset(); }
  TrailTest();
  ~TrailTest() override;

  void Restart();
  RequestContext Admin() const { return testing::ContextOf(tenant_.str(), "root", Role::kAdmin); }
  // The event of a change of an object by `actor`, as a service writes it.
  testing::Written EventOf(const std::string& object_id, const std::string& actor = "eve",
                           const std::string& action = "price.override_set",
                           absl::Time at = absl::Now()) const;
  // Events of objects "a", "b", … to the topic; returns when they are chained.
  void Chain(int count);
  // When there are as many entries: what they are of, in the order of the chain.
  std::vector<std::string> AwaitObjects(int count);

  template <class Response, class Request>
  absl::StatusOr<Response> Call(rpc::Reply<Response> (AuditRpc::*method)(rpc::Call<Request>),
                                const Request& request, const RequestContext& context) {
    return loop_.Run((rpc_.*method)(rpc::Call<Request>(request, context)));
  }
  template <class Response, class Request>
  absl::StatusOr<Response> Call(rpc::Reply<Response> (AuditRpc::*method)(rpc::Call<Request>),
                                const Request& request) {
    return Call(method, request, Admin());
  }
  // "kind number" of the first defect of the tenant's chain, or "", by parts of so many entries.
  std::string Verify(int part = 1'000);
  // As a superuser who gets round the trigger; `sql` ends with a condition on the tenant.
  void Tamper(const std::string& sql) const;

  static std::unique_ptr<testing::Database> database_;
  testing::Loop loop_;
  const TenantId tenant_ = TenantId::Trusted(UuidToBase32(NewUuid()));
  const testing::KafkaTopic topic_;
  const std::string group_ = Concat("audit-test.", topic_.name());
  const testing::KafkaTopic retries_{events::RetryTopic(topic_.name(), group_)};
  const testing::KafkaTopic dead_letters_{kafka::DeadLetterTopic(topic_.name(), group_)};
  postgres::Pool pool_{database_->Connection(), postgres::PoolSettings{}, postgres::Plans::kIndexOnly};
  AuditRpc rpc_{pool_};
  std::unique_ptr<Trail> trail_;
};

}  // namespace bv::audit_trail
