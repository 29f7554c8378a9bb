#include "services/webhook-dispatcher/tests/webhook_fixture.h"

#include <absl/strings/str_replace.h>

#include <atomic>

#include "libs/base/strings.h"

namespace bv::webhook {

std::unique_ptr<WebhookTest::Parts> WebhookTest::parts_;

WebhookTest::Parts::Parts()
    : addresses(*egress::AddressPolicy::Create({.production = true, .ports = {"443", "8443"}})) {}

void WebhookTest::SetUpTestSuite() {
  parts_ = std::make_unique<Parts>();
}

void WebhookTest::TearDownTestSuite() {
  parts_.reset();
}

void WebhookTest::SetUp() {
  static std::atomic<int> counter{0};
  tenant_ = Concat("tenant-", counter.fetch_add(1));
  tenant_id_ = TenantId::Trusted(tenant_);
}

pb::CreateSubscriptionRequest WebhookTest::New(const std::vector<std::string>& event_types,
                                               const std::string& url) {
  pb::CreateSubscriptionRequest request;
  request.set_url(url);
  for (const std::string& type : event_types) request.add_event_types(type);
  return request;
}

pb::Subscription WebhookTest::Stored(const pb::CreateSubscriptionRequest& request) {
  absl::StatusOr<pb::Subscription> stored = Call(&SubscriptionRpc::CreateSubscription, request);
  EXPECT_TRUE(stored.ok()) << stored.status();
  return stored.ok() ? *stored : pb::Subscription();
}

absl::StatusOr<pb::Subscription> WebhookTest::Get(const std::string& subscription_id) {
  return Call(&SubscriptionRpc::GetSubscription, Of<pb::GetSubscriptionRequest>(subscription_id));
}

std::vector<pb::AuditRecord> WebhookTest::Audit(const std::string& subscription_id) {
  const auto page =
      Call(&SubscriptionRpc::ListAuditRecords, Of<pb::ListAuditRecordsRequest>(subscription_id));
  EXPECT_TRUE(page.ok()) << page.status();
  if (!page.ok()) return {};
  return {page->records().begin(), page->records().end()};
}

std::vector<std::string> WebhookTest::AuditWords(const std::string& subscription_id) {
  std::vector<std::string> words;
  for (const pb::AuditRecord& record : Audit(subscription_id))
    words.push_back(record.detail().empty() ? record.action()
                                            : Concat(record.action(), " ", record.detail()));
  return words;
}

RequestContext WebhookTest::WithKey(const std::string& key) const {
  RequestContext context = Clerk();
  context.idempotency_key = key;
  return context;
}

std::string WebhookTest::Query(std::string sql) const {
  return database().Query(absl::StrReplaceAll(sql, {{"$T", Concat("'", tenant_, "'")}}));
}

absl::Status WebhookTest::Transact(const std::function<absl::Status(postgres::Session&)>& work) {
  postgres::Session session(database().Connection(), postgres::Plans::kIndexOnly);
  return session.Transact({tenant_id_}, work);
}

}  // namespace bv::webhook
