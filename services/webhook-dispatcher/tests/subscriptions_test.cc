// What an owner does with subscriptions, and what the audit has of it.
#include <set>
#include <thread>

#include "libs/base/strings.h"
#include "services/webhook-dispatcher/store/change_subscription.h"
#include "services/webhook-dispatcher/store/deliveries.h"
#include "services/webhook-dispatcher/tests/webhook_fixture.h"

namespace bv::webhook {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class SubscriptionsTest : public WebhookTest {
 protected:
  absl::Status CreateError(const pb::CreateSubscriptionRequest& request) {
    return Call(&SubscriptionRpc::CreateSubscription, request).status();
  }
  absl::StatusOr<pb::Subscription> Pause(const std::string& id) {
    return Call(&SubscriptionRpc::PauseSubscription, Of<pb::PauseSubscriptionRequest>(id));
  }
  absl::StatusOr<pb::Subscription> Resume(const std::string& id) {
    return Call(&SubscriptionRpc::ResumeSubscription, Of<pb::ResumeSubscriptionRequest>(id));
  }
  absl::Status Delete(const std::string& id) {
    return Call(&SubscriptionRpc::DeleteSubscription, Of<pb::DeleteSubscriptionRequest>(id)).status();
  }
  absl::Status Disable(const std::string& id, DisabledReason reason,
                       std::optional<absl::Time> failing_since) {
    return Transact([&](postgres::Session& session) {
      return DisableSubscription(session, Clerk(), SubscriptionId::Trusted(id), reason, failing_since);
    });
  }
};

TEST_F(SubscriptionsTest, ANewOneIsActiveAndShowsItsSecretOnce) {
  pb::CreateSubscriptionRequest request = New({"ecommerce.order.*", "ecommerce.payment.payment.failed.v1"});
  request.set_description("the warehouse");
  request.set_order(pb::DELIVERY_ORDER_FIFO);
  const pb::Subscription made = Stored(request);
  EXPECT_THAT(made.subscription_id(), StartsWith("whs_"));
  EXPECT_EQ(made.url(), request.url());
  EXPECT_THAT(made.event_types(), ElementsAre("ecommerce.order.*", "ecommerce.payment.payment.failed.v1"));
  EXPECT_EQ(made.description(), "the warehouse");
  EXPECT_EQ(made.status(), pb::SUBSCRIPTION_STATUS_ACTIVE);
  EXPECT_EQ(made.order(), pb::DELIVERY_ORDER_FIFO);
  EXPECT_EQ(made.version(), 1);
  EXPECT_EQ(Secret::Trusted(made.secret()).bytes().size(), Secret::kBytes);
  EXPECT_EQ(made.created_at().seconds(), made.updated_at().seconds());

  pb::Subscription shown = *Get(made.subscription_id());
  EXPECT_EQ(shown.secret(), "");
  shown.set_secret(made.secret());
  EXPECT_EQ(shown.SerializeAsString(), made.SerializeAsString());
  EXPECT_NE(Stored().secret(), made.secret());
}

TEST_F(SubscriptionsTest, WhatIsWrongWithANewOneIsSaid) {
  const absl::Status url = CreateError(New({"*"}, "http://example.com/hook"));
  EXPECT_EQ(ErrorReason(url), "URL_REFUSED");
  EXPECT_EQ(FieldOf(url), "url");
  EXPECT_EQ(ErrorReason(CreateError(New({"*"}, "https://127.0.0.1/hook"))), "URL_REFUSED");
  EXPECT_EQ(ErrorReason(CreateError(New({"*"}, ""))), "URL_REFUSED");

  const absl::Status type = CreateError(New({"ecommerce.order.*", "ecommerce.oder.*"}));
  EXPECT_EQ(ErrorReason(type), "EVENT_TYPE_UNKNOWN");
  EXPECT_EQ(FieldOf(type), "eventTypes[1]");
  EXPECT_THAT(std::string(type.message()), HasSubstr("ecommerce.order.order.paid.v1"));
  // Events of webhooks would feed themselves.
  EXPECT_EQ(ErrorReason(CreateError(New({"ecommerce.webhook.*"}))), "EVENT_TYPE_UNKNOWN");
  EXPECT_EQ(FieldOf(CreateError(New({}))), "eventTypes");

  pb::CreateSubscriptionRequest long_winded = New();
  long_winded.set_description(std::string(501, 'x'));
  EXPECT_EQ(FieldOf(CreateError(long_winded)), "description");
  pb::CreateSubscriptionRequest disorderly = New();
  disorderly.set_order(static_cast<pb::DeliveryOrder>(7));
  EXPECT_EQ(FieldOf(CreateError(disorderly)), "order");
  EXPECT_EQ(Query("SELECT count(*) FROM webhook.webhook_subscription WHERE tenant_id = $T"), "0");
}

TEST_F(SubscriptionsTest, ATenantHasAHundredAlsoWhenManyAreMadeAtOnce) {
  Query(R"sql(
    INSERT INTO webhook.webhook_subscription (tenant_id, subscription_id, url, event_types, description, status, delivery_order, secret)
    SELECT $T, 'whs_' || lpad(i::text, 26, '0'), 'https://example.com', '{*}', '', 'ACTIVE', 'ANY', 'whsec_' FROM generate_series(1, 96) i)sql");
  std::atomic<int> made{0};
  std::atomic<int> full{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        const absl::Status status = CreateError(New());
        if (status.ok()) ++made;
        if (ErrorReason(status) == "SUBSCRIPTIONS_FULL") ++full;
      });
    }
  }
  EXPECT_EQ(made, 4);
  EXPECT_EQ(full, 4);
  // A deleted one makes room.
  EXPECT_TRUE(Delete(Concat("whs_", std::string(25, '0'), "1")).ok());
  EXPECT_TRUE(CreateError(New()).ok());
}

TEST_F(SubscriptionsTest, AreListedOldestFirstInPages) {
  std::vector<std::string> made;
  for (int i = 0; i < 5; ++i) made.push_back(Stored().subscription_id());
  std::vector<std::string> listed;
  pb::ListSubscriptionsRequest request;
  request.set_page_size(2);
  int pages = 0;
  do {
    const auto page = Call(&SubscriptionRpc::ListSubscriptions, request);
    ASSERT_TRUE(page.ok()) << page.status();
    for (const pb::Subscription& subscription : page->subscriptions()) {
      listed.push_back(subscription.subscription_id());
      EXPECT_EQ(subscription.secret(), "");
    }
    request.set_page_token(page->next_page_token());
    ++pages;
  } while (!request.page_token().empty());
  EXPECT_EQ(listed, made);
  EXPECT_EQ(pages, 3);
  request.set_page_size(101);
  EXPECT_EQ(FieldOf(Call(&SubscriptionRpc::ListSubscriptions, request).status()), "pageSize");
  request.set_page_size(0);
  request.set_page_token("?");
  EXPECT_EQ(FieldOf(Call(&SubscriptionRpc::ListSubscriptions, request).status()), "pageToken");
}

TEST_F(SubscriptionsTest, AnUpdateChangesWhatIsGivenAndNothingElse) {
  const pb::Subscription made = Stored();
  auto request = Of<pb::UpdateSubscriptionRequest>(made.subscription_id());
  EXPECT_EQ(Call(&SubscriptionRpc::UpdateSubscription, request)->version(), 1);
  request.set_url("https://example.com:8443/other");
  const auto updated = Call(&SubscriptionRpc::UpdateSubscription, request);
  ASSERT_TRUE(updated.ok()) << updated.status();
  EXPECT_EQ(updated->url(), "https://example.com:8443/other");
  EXPECT_THAT(updated->event_types(), ElementsAre("ecommerce.order.*"));
  EXPECT_EQ(updated->version(), 2);
  EXPECT_EQ(updated->secret(), "");
  request.add_event_types("*");
  request.set_description("all of it");
  EXPECT_EQ(Call(&SubscriptionRpc::UpdateSubscription, request)->description(), "all of it");

  request.set_url("https://user:word@example.com/");
  EXPECT_EQ(ErrorReason(Call(&SubscriptionRpc::UpdateSubscription, request).status()), "URL_REFUSED");
  request.clear_url();
  request.add_event_types("*");
  EXPECT_EQ(FieldOf(Call(&SubscriptionRpc::UpdateSubscription, request).status()), "eventTypes[1]");
  EXPECT_THAT(AuditWords(made.subscription_id()),
              ElementsAre("UPDATED event types: *; description", "UPDATED URL",
                          "CREATED event types: ecommerce.order.*"));
}

TEST_F(SubscriptionsTest, PauseAndResumeAreIdempotent) {
  const std::string id = Stored().subscription_id();
  EXPECT_EQ(Pause(id)->status(), pb::SUBSCRIPTION_STATUS_PAUSED);
  EXPECT_EQ(Pause(id)->version(), 2);
  EXPECT_EQ(Resume(id)->status(), pb::SUBSCRIPTION_STATUS_ACTIVE);
  EXPECT_EQ(Resume(id)->version(), 3);
  EXPECT_THAT(AuditWords(id), ElementsAre("RESUMED was PAUSED", "PAUSED paused", StartsWith("CREATED")));
}

TEST_F(SubscriptionsTest, DisablingIsAnnouncedOnceAndResumingForgetsTheFailures) {
  const std::string id = Stored().subscription_id();
  const SubscriptionKey key{.tenant = tenant(), .subscription = SubscriptionId::Trusted(id)};
  // A delivery makes what is known of the receiver.
  ASSERT_TRUE(Call(&DeliveryRpc::SendTestEvent, Of<pb::SendTestEventRequest>(id)).ok());
  ASSERT_TRUE(Transact([&](postgres::Session& session) {
                NoteHealth(session, {&key, 1}, {});
                return absl::OkStatus();
              }).ok());
  const std::string failing =
      "SELECT count(failing_since) FROM webhook.webhook_endpoint WHERE tenant_id = $T";
  EXPECT_EQ(Query(failing), "1");
  for (int i = 0; i < 2; ++i)
    EXPECT_TRUE(Disable(id, DisabledReason::kFailing, absl::FromUnixSeconds(1'700'000'000)).ok());
  const auto disabled = Get(id);
  EXPECT_EQ(disabled->status(), pb::SUBSCRIPTION_STATUS_DISABLED);
  EXPECT_EQ(disabled->disabled_reason(), "FAILING");
  const std::string events = "FROM outbox.event WHERE tenant_id = $T AND aggregateid = '" + id + "'";
  EXPECT_EQ(Query("SELECT count(*) " + events), "1");
  EXPECT_EQ(Query("SELECT type || ' ' || aggregatetype " + events),
            "ecommerce.webhook.subscription.disabled.v1 ecommerce.webhook.subscription");
  EXPECT_EQ(Query("SELECT payload::json->'payload'->>'failingSince' " + events), "2023-11-14T22:13:20Z");
  EXPECT_EQ(Audit(id)[0].actor(), "webhook-dispatcher");
  EXPECT_EQ(AuditWords(id)[0], "DISABLED every attempt has failed for days");
  // A pause changes nothing: nothing is sent anyway, and the reason stays.
  EXPECT_EQ(Pause(id)->status(), pb::SUBSCRIPTION_STATUS_DISABLED);

  EXPECT_EQ(Resume(id)->status(), pb::SUBSCRIPTION_STATUS_ACTIVE);
  EXPECT_EQ(Get(id)->disabled_reason(), "");
  EXPECT_EQ(Query(failing), "0");
  EXPECT_EQ(AuditWords(id)[0], "RESUMED was DISABLED, FAILING");
}

TEST_F(SubscriptionsTest, ADeletedOneIsGoneButNotItsAudit) {
  const std::string id = Stored().subscription_id();
  EXPECT_TRUE(Delete(id).ok());
  EXPECT_TRUE(Delete(id).ok());
  const auto not_found = [](const absl::Status& status) {
    return absl::IsNotFound(status) && ErrorReason(status) == "SUBSCRIPTION_NOT_FOUND";
  };
  EXPECT_TRUE(not_found(Get(id).status()));
  EXPECT_TRUE(not_found(Pause(id).status()));
  EXPECT_TRUE(not_found(Resume(id).status()));
  EXPECT_TRUE(
      not_found(Call(&SubscriptionRpc::UpdateSubscription, Of<pb::UpdateSubscriptionRequest>(id)).status()));
  EXPECT_TRUE(not_found(Call(&SubscriptionRpc::RotateSecret, Of<pb::RotateSecretRequest>(id)).status()));
  EXPECT_TRUE(not_found(Call(&DeliveryRpc::SendTestEvent, Of<pb::SendTestEventRequest>(id)).status()));
  EXPECT_EQ(Call(&SubscriptionRpc::ListSubscriptions, pb::ListSubscriptionsRequest())->subscriptions_size(),
            0);
  // Nobody needs to disable it any more.
  EXPECT_TRUE(Disable(id, DisabledReason::kGone, {}).ok());
  EXPECT_THAT(AuditWords(id), ElementsAre("DELETED", StartsWith("CREATED")));
  EXPECT_EQ(
      Query("SELECT url || secret || previous_secret FROM webhook.webhook_subscription WHERE tenant_id = $T"),
      "");

  const std::string never = SubscriptionId::New().str();
  EXPECT_TRUE(not_found(Delete(never)));
  EXPECT_TRUE(not_found(Delete("whs_x")));
  EXPECT_TRUE(
      not_found(Call(&SubscriptionRpc::ListAuditRecords, Of<pb::ListAuditRecordsRequest>(never)).status()));
}

TEST_F(SubscriptionsTest, WhatWasDeletedLongAgoIsForgotten) {
  const std::string old = Stored().subscription_id(), recent = Stored().subscription_id();
  EXPECT_TRUE(Delete(old).ok());
  EXPECT_TRUE(Delete(recent).ok());
  Query(
      "UPDATE webhook.webhook_subscription SET deleted_at = now() - interval '36 days' WHERE subscription_id "
      "= '" +
      old + "'");
  Stored();
  EXPECT_EQ(Query("SELECT count(*) FROM webhook.webhook_subscription WHERE tenant_id = $T"), "2");
  EXPECT_EQ(
      Query("SELECT count(*) FROM webhook.webhook_subscription_audit WHERE subscription_id = '" + old + "'"),
      "0");
  EXPECT_EQ(AuditWords(recent).size(), 2u);
}

TEST_F(SubscriptionsTest, ARotationShowsTheNewSecretAndKeepsTheOldOneForAWhile) {
  const pb::Subscription made = Stored();
  auto request = Of<pb::RotateSecretRequest>(made.subscription_id());
  const auto rotated = Call(&SubscriptionRpc::RotateSecret, request);
  ASSERT_TRUE(rotated.ok()) << rotated.status();
  EXPECT_NE(rotated->secret(), made.secret());
  EXPECT_EQ(rotated->previous_secret_until().seconds() - rotated->updated_at().seconds(), 86'400);
  EXPECT_EQ(Query("SELECT secret || previous_secret FROM webhook.webhook_subscription WHERE tenant_id = $T"),
            rotated->secret() + made.secret());
  request.set_overlap_seconds(0);
  const auto at_once = Call(&SubscriptionRpc::RotateSecret, request);
  EXPECT_FALSE(at_once->has_previous_secret_until());
  EXPECT_EQ(Query("SELECT previous_secret FROM webhook.webhook_subscription WHERE tenant_id = $T"), "");
  for (const int seconds : {-1, 604'801}) {
    request.set_overlap_seconds(seconds);
    EXPECT_EQ(FieldOf(Call(&SubscriptionRpc::RotateSecret, request).status()), "overlapSeconds");
  }
  for (const std::string& words : AuditWords(made.subscription_id()))
    EXPECT_THAT(words, Not(HasSubstr("whsec_")));
}

TEST_F(SubscriptionsTest, TheAuditSaysWhoAndWhenAndInWhichRequest) {
  RequestContext context = Clerk();
  context.correlation_id = "ticket-7";
  const auto made = Call(&SubscriptionRpc::CreateSubscription, New(), context);
  ASSERT_TRUE(made.ok()) << made.status();
  const std::string id = made->subscription_id();
  const pb::AuditRecord record = Audit(id)[0];
  EXPECT_EQ(record.actor(), "clerk");
  EXPECT_EQ(record.correlation_id(), "ticket-7");
  EXPECT_EQ(record.at().seconds(), made->created_at().seconds());

  Pause(id).IgnoreError();
  Resume(id).IgnoreError();
  std::vector<std::string> actions;
  auto request = Of<pb::ListAuditRecordsRequest>(id);
  request.set_page_size(1);
  do {
    const auto page = Call(&SubscriptionRpc::ListAuditRecords, request);
    ASSERT_EQ(page->records_size(), 1);
    actions.push_back(page->records(0).action());
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  EXPECT_THAT(actions, ElementsAre("RESUMED", "PAUSED", "CREATED"));
  request.set_page_token("x");
  EXPECT_EQ(FieldOf(Call(&SubscriptionRpc::ListAuditRecords, request).status()), "pageToken");
}

TEST_F(SubscriptionsTest, ARepeatUnderItsKeyMakesNothingNew) {
  const auto first = Call(&SubscriptionRpc::CreateSubscription, New(), WithKey("key-1"));
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_FALSE(replayed());
  const auto again = Call(&SubscriptionRpc::CreateSubscription, New(), WithKey("key-1"));
  EXPECT_EQ(again->SerializeAsString(), first->SerializeAsString());
  EXPECT_TRUE(replayed());
  EXPECT_EQ(ErrorReason(Call(&SubscriptionRpc::CreateSubscription, New({"*"}), WithKey("key-1")).status()),
            "IDEMPOTENCY_KEY_REUSED");

  const auto rotation = Of<pb::RotateSecretRequest>(first->subscription_id());
  const auto rotated = Call(&SubscriptionRpc::RotateSecret, rotation, WithKey("key-2"));
  EXPECT_EQ(Call(&SubscriptionRpc::RotateSecret, rotation, WithKey("key-2"))->secret(), rotated->secret());
  EXPECT_EQ(ErrorReason(Call(&SubscriptionRpc::RotateSecret, rotation, WithKey("key-1")).status()),
            "IDEMPOTENCY_KEY_REUSED");
  EXPECT_EQ(AuditWords(first->subscription_id()).size(), 2u);
  EXPECT_EQ(Query("SELECT count(*) FROM webhook.idempotency_record WHERE tenant_id = $T"), "2");

  // The key of another user is another key; a day later it is free.
  RequestContext colleague = WithKey("key-1");
  colleague.user_id = "colleague";
  EXPECT_NE(Call(&SubscriptionRpc::CreateSubscription, New(), colleague)->subscription_id(),
            first->subscription_id());
  Query(
      "UPDATE webhook.idempotency_record SET created_at = now() - interval '25 hours' WHERE tenant_id = $T");
  EXPECT_TRUE(Call(&SubscriptionRpc::CreateSubscription, New({"*"}), WithKey("key-1")).ok());
  EXPECT_EQ(Query("SELECT count(*) FROM webhook.idempotency_record WHERE tenant_id = $T"), "1");
}

TEST_F(SubscriptionsTest, RepeatsAtOnceMakeOne) {
  std::vector<std::string> ids(6);
  {
    std::vector<std::jthread> threads;
    for (std::string& id : ids) {
      threads.emplace_back([&] {
        const auto made = Call(&SubscriptionRpc::CreateSubscription, New(), WithKey("key"));
        id = made.ok() ? made->subscription_id() : made.status().ToString();
      });
    }
  }
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), 1u) << ids[0];
  EXPECT_EQ(Query("SELECT count(*) FROM webhook.webhook_subscription WHERE tenant_id = $T"), "1");
}

}  // namespace
}  // namespace bv::webhook
