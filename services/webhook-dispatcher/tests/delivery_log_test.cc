// The log of deliveries, and sending once more.
#include <set>

#include "libs/base/strings.h"
#include "libs/events/envelope.h"
#include "services/webhook-dispatcher/store/deliveries.h"
#include "services/webhook-dispatcher/tests/webhook_fixture.h"

namespace bv::webhook {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kPaid[] = "ecommerce.order.order.paid.v1";
constexpr char kCreated[] = "ecommerce.order.order.created.v1";

class DeliveryLogTest : public WebhookTest {
 protected:
  void SetUp() override {
    WebhookTest::SetUp();
    subscription_ = Stored().subscription_id();
  }

  // Stored deliveries, each made a second after the one before, in this state.
  std::vector<std::string> Delivered(int count, const std::string& type = kPaid,
                                     const std::string& status = "DELIVERED", const std::string& to = "",
                                     const std::string& store = "") {
    std::vector<NewDelivery> made;
    for (int i = 0; i < count; ++i) {
      made.push_back({.tenant = tenant(),
                      .id = DeliveryId::New(),
                      .subscription = SubscriptionId::Trusted(to.empty() ? subscription_ : to),
                      .event_id = Concat("event-", ++events_),
                      .event_type = type,
                      .store = store,
                      .body = Concat("{\"n\":", events_, "}")});
    }
    EXPECT_TRUE(Transact([&](postgres::Session& session) {
                  MakeDeliveries(session, made);
                  return absl::OkStatus();
                }).ok());
    std::vector<std::string> ids;
    for (const NewDelivery& delivery : made) {
      ids.push_back(delivery.id.str());
      const bool ended = status != "QUEUED" && status != "DEFERRED";
      Query(Concat("UPDATE webhook.webhook_delivery SET status = '", status,
                   "', created_at = timestamptz 'epoch' + interval '", ++second_, " seconds', ended_at = ",
                   ended ? "now()" : "NULL", " WHERE tenant_id = $T AND delivery_id = '", ids.back(), "'"));
    }
    return ids;
  }
  std::vector<std::string> Found(const pb::ListDeliveriesRequest& request) {
    const auto page = Call(&DeliveryRpc::ListDeliveries, request);
    EXPECT_TRUE(page.ok()) << page.status();
    std::vector<std::string> ids;
    for (const pb::Delivery& delivery : page->deliveries()) ids.push_back(delivery.delivery_id());
    return ids;
  }
  absl::StatusOr<pb::Delivery> Redeliver(const std::string& id) {
    pb::RedeliverRequest request;
    request.set_delivery_id(id);
    return Call(&DeliveryRpc::Redeliver, request);
  }
  std::string Count(const std::string& where = "true") const {
    return Query("SELECT count(*) FROM webhook.webhook_delivery WHERE tenant_id = $T AND " + where);
  }

  std::string subscription_;

 private:
  int events_ = 0;
  int second_ = 0;
};

TEST_F(DeliveryLogTest, NewestFirstInPages) {
  std::vector<std::string> made = Delivered(5);
  std::vector<std::string> listed;
  pb::ListDeliveriesRequest request;
  request.set_page_size(2);
  int pages = 0;
  do {
    const auto page = Call(&DeliveryRpc::ListDeliveries, request);
    ASSERT_TRUE(page.ok()) << page.status();
    for (const pb::Delivery& delivery : page->deliveries()) listed.push_back(delivery.delivery_id());
    request.set_page_token(page->next_page_token());
    ++pages;
  } while (!request.page_token().empty());
  std::ranges::reverse(made);
  EXPECT_EQ(listed, made);
  EXPECT_EQ(pages, 3);
}

TEST_F(DeliveryLogTest, EveryFilterNarrowsIt) {
  const std::string other = Stored().subscription_id();
  const std::string paid = Delivered(1)[0], created = Delivered(1, kCreated, "FAILED")[0];
  const std::string queued = Delivered(1, kPaid, "QUEUED", other)[0],
                    deferred = Delivered(1, kPaid, "DEFERRED", other)[0];
  const std::string canceled = Delivered(1, "ecommerce.payment.payment.failed.v1", "CANCELED", other)[0];

  pb::ListDeliveriesRequest all;
  EXPECT_THAT(Found(all), ElementsAre(canceled, deferred, queued, created, paid));
  pb::ListDeliveriesRequest of_other = all;
  of_other.set_subscription_id(other);
  EXPECT_THAT(Found(of_other), ElementsAre(canceled, deferred, queued));
  of_other.set_status(pb::DELIVERY_STATUS_PENDING);
  EXPECT_THAT(Found(of_other), ElementsAre(deferred, queued));
  pb::ListDeliveriesRequest by_status = all;
  by_status.set_status(pb::DELIVERY_STATUS_FAILED);
  EXPECT_THAT(Found(by_status), ElementsAre(created));
  by_status.set_status(pb::DELIVERY_STATUS_CANCELED);
  EXPECT_THAT(Found(by_status), ElementsAre(canceled));
  by_status.set_status(pb::DELIVERY_STATUS_DELIVERED);
  EXPECT_THAT(Found(by_status), ElementsAre(paid));
  pb::ListDeliveriesRequest by_type = all;
  by_type.set_event_type(kCreated);
  EXPECT_THAT(Found(by_type), ElementsAre(created));
  by_type.set_event_type("ecommerce.order.*");
  EXPECT_THAT(Found(by_type), ElementsAre(deferred, queued, created, paid));
  pb::ListDeliveriesRequest by_event = all;
  by_event.set_event_id("event-2");
  EXPECT_THAT(Found(by_event), ElementsAre(created));
  // Made 1 to 5 s after the beginning of 1970.
  pb::ListDeliveriesRequest by_time = all;
  by_time.mutable_from()->set_seconds(2);
  by_time.mutable_until()->set_seconds(4);
  EXPECT_THAT(Found(by_time), ElementsAre(queued, created));
}

TEST_F(DeliveryLogTest, DeliveriesOfAStoreAreFoundAndRedelivered) {
  const std::string of_none = Delivered(1)[0];
  const std::string eu = Delivered(1, kPaid, "FAILED", "", "eu")[0],
                    us = Delivered(1, kPaid, "FAILED", "", "us")[0];
  pb::ListDeliveriesRequest request;
  EXPECT_THAT(Found(request), ElementsAre(us, eu, of_none));
  request.set_store_code("eu");
  EXPECT_THAT(Found(request), ElementsAre(eu));
  request.set_subscription_id(subscription_);
  EXPECT_THAT(Found(request), ElementsAre(eu));
  EXPECT_EQ(Call(&DeliveryRpc::ListDeliveries, request)->deliveries(0).store_code(), "eu");
  request.set_store_code("elsewhere");
  EXPECT_THAT(Found(request), ElementsAre());

  EXPECT_EQ(Redeliver(us)->store_code(), "us");
  pb::RedeliverRangeRequest range;
  range.set_store_code("eu");
  EXPECT_EQ(Call(&DeliveryRpc::RedeliverRange, range)->count(), 1);
  EXPECT_EQ(Query("SELECT string_agg(redelivery_of || ' ' || store_code, ', ' ORDER BY store_code) FROM "
                  "webhook.webhook_delivery WHERE tenant_id = $T AND redelivery_of <> ''"),
            Concat(eu, " eu, ", us, " us"));
  range.set_store_code("e u");
  EXPECT_EQ(FieldOf(Call(&DeliveryRpc::RedeliverRange, range).status()), "storeCode");
}

TEST_F(DeliveryLogTest, WhatIsWrongWithAFilterIsSaid) {
  const auto field_of = [&](const std::function<void(pb::ListDeliveriesRequest&)>& spoil) {
    pb::ListDeliveriesRequest request;
    spoil(request);
    return FieldOf(Call(&DeliveryRpc::ListDeliveries, request).status());
  };
  EXPECT_EQ(field_of([](auto& r) { r.set_subscription_id("whs_x"); }), "subscriptionId");
  EXPECT_EQ(field_of([](auto& r) { r.set_event_type("ecommerce.oder.*"); }), "eventType");
  EXPECT_EQ(field_of([](auto& r) { r.set_event_id(std::string(65, 'x')); }), "eventId");
  EXPECT_EQ(field_of([](auto& r) { r.set_store_code("*"); }), "storeCode");
  EXPECT_EQ(field_of([](auto& r) { r.set_status(static_cast<pb::DeliveryStatus>(9)); }), "status");
  EXPECT_EQ(field_of([](auto& r) { r.mutable_from()->set_seconds(-1); }), "from");
  EXPECT_EQ(field_of([](auto& r) { r.mutable_until()->set_nanos(-1); }), "until");
  EXPECT_EQ(field_of([](auto& r) { r.set_page_size(-1); }), "pageSize");
  for (const char* token : {"?", "eA", "MSB4"})  // no base64; "x"; "1 x"
    EXPECT_EQ(field_of([&](auto& r) { r.set_page_token(token); }), "pageToken") << token;
}

TEST_F(DeliveryLogTest, ADeliveryIsShownWithItsAttempts) {
  const std::string id = Delivered(1, kPaid, "DEFERRED")[0];
  const DeliveryKey key{.tenant = tenant(), .id = DeliveryId::Trusted(id)};
  const absl::Time at = absl::FromUnixSeconds(1'700'000'000);
  const std::vector<Attempt> attempts = {{.key = key,
                                          .number = 1,
                                          .at = at,
                                          .latency = absl::Milliseconds(150),
                                          .status = 503,
                                          .error_class = "STATUS",
                                          .detail = "503",
                                          .answer = "busy",
                                          .next = DeliveryStatus::kDeferred},
                                         {.key = key,
                                          .number = 2,
                                          .at = at + absl::Seconds(30),
                                          .latency = absl::Milliseconds(20),
                                          .status = 200,
                                          .next = DeliveryStatus::kDelivered}};
  ASSERT_TRUE(Transact([&](postgres::Session& session) {
                StoreAttempts(session, {&attempts[0], 1});
                StoreAttempts(session, {&attempts[1], 1});
                return absl::OkStatus();
              }).ok());
  pb::GetDeliveryRequest request;
  request.set_delivery_id(id);
  const auto delivery = Call(&DeliveryRpc::GetDelivery, request);
  ASSERT_TRUE(delivery.ok()) << delivery.status();
  EXPECT_EQ(delivery->status(), pb::DELIVERY_STATUS_DELIVERED);
  EXPECT_EQ(delivery->attempts_made(), 2);
  EXPECT_TRUE(delivery->has_ended_at());
  ASSERT_EQ(delivery->attempts_size(), 2);
  EXPECT_EQ(delivery->attempts(0).number(), 1);
  EXPECT_EQ(delivery->attempts(0).at().seconds(), 1'700'000'000);
  EXPECT_EQ(delivery->attempts(0).latency_millis(), 150);
  EXPECT_EQ(delivery->attempts(0).status(), 503);
  EXPECT_EQ(delivery->attempts(0).error_class(), "STATUS");
  EXPECT_EQ(delivery->attempts(0).answer(), "busy");
  EXPECT_EQ(delivery->attempts(1).status(), 200);

  for (const std::string& missing : {DeliveryId::New().str(), std::string("whd_x")}) {
    request.set_delivery_id(missing);
    EXPECT_EQ(ErrorReason(Call(&DeliveryRpc::GetDelivery, request).status()), "DELIVERY_NOT_FOUND");
    EXPECT_EQ(ErrorReason(Redeliver(missing).status()), "DELIVERY_NOT_FOUND");
  }
}

TEST_F(DeliveryLogTest, ATestEventGoesToItsSubscriptionOnly) {
  const auto request = Of<pb::SendTestEventRequest>(subscription_);
  const auto sent = Call(&DeliveryRpc::SendTestEvent, request, WithKey("key"));
  ASSERT_TRUE(sent.ok()) << sent.status();
  EXPECT_EQ(sent->status(), pb::DELIVERY_STATUS_PENDING);
  EXPECT_EQ(sent->event_type(), "ecommerce.webhook.subscription.test.v1");
  EXPECT_EQ(sent->subscription_id(), subscription_);
  const auto envelope =
      events::ParseEnvelope(Query("SELECT body FROM webhook.webhook_delivery WHERE tenant_id = $T"));
  ASSERT_TRUE(envelope.ok()) << envelope.status();
  EXPECT_EQ(envelope->event_id(), sent->event_id());
  EXPECT_EQ(envelope->partition_key(), subscription_);
  EXPECT_EQ(Query("SELECT count(*) FROM outbox.event WHERE tenant_id = $T"), "0");

  EXPECT_EQ(Call(&DeliveryRpc::SendTestEvent, request, WithKey("key"))->delivery_id(), sent->delivery_id());
  EXPECT_TRUE(replayed());
  EXPECT_EQ(Count(), "1");
  EXPECT_EQ(AuditWords(subscription_)[0], "TEST_SENT " + sent->delivery_id());
  EXPECT_EQ(ErrorReason(Call(&DeliveryRpc::SendTestEvent, Of<pb::SendTestEventRequest>("whs_x")).status()),
            "SUBSCRIPTION_NOT_FOUND");
}

TEST_F(DeliveryLogTest, ARedeliveryIsANewDeliveryOfTheSameEvent) {
  const std::string first = Delivered(1, kPaid, "FAILED")[0];
  const auto second = Redeliver(first);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_NE(second->delivery_id(), first);
  EXPECT_EQ(second->redelivery_of(), first);
  EXPECT_EQ(second->event_id(), "event-1");
  EXPECT_EQ(second->event_type(), kPaid);
  EXPECT_EQ(second->status(), pb::DELIVERY_STATUS_PENDING);
  EXPECT_EQ(second->attempts_made(), 0);
  const std::string where =
      "FROM webhook.webhook_delivery WHERE tenant_id = $T AND delivery_id = '" + second->delivery_id() + "'";
  EXPECT_EQ(Query("SELECT body || status || sequence " + where), "{\"n\":1}DEFERRED2");
  EXPECT_EQ(Count("status = 'FAILED'"), "1");
  EXPECT_EQ(AuditWords(subscription_)[0], "REDELIVERED " + first);

  ASSERT_TRUE(
      Call(&SubscriptionRpc::DeleteSubscription, Of<pb::DeleteSubscriptionRequest>(subscription_)).ok());
  EXPECT_EQ(ErrorReason(Redeliver(first).status()), "SUBSCRIPTION_NOT_FOUND");
}

TEST_F(DeliveryLogTest, ARangeIsRedeliveredOldestFirst) {
  const std::string other = Stored().subscription_id(), deleted = Stored().subscription_id();
  const std::vector<std::string> mine = Delivered(3, kPaid, "FAILED");
  const std::vector<std::string> others = Delivered(2, kPaid, "FAILED", other);
  Delivered(1, kPaid, "FAILED", deleted);
  Delivered(1, kPaid, "DELIVERED");
  ASSERT_TRUE(Call(&SubscriptionRpc::DeleteSubscription, Of<pb::DeleteSubscriptionRequest>(deleted)).ok());

  pb::RedeliverRangeRequest request;
  EXPECT_EQ(ErrorReason(Call(&DeliveryRpc::RedeliverRange, request).status()), "FILTER_REQUIRED");
  request.set_status(pb::DELIVERY_STATUS_FAILED);
  const auto made = Call(&DeliveryRpc::RedeliverRange, request, WithKey("key"));
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->count(), 5);
  EXPECT_EQ(Query("SELECT string_agg(redelivery_of, ' ' ORDER BY delivery_id) FROM webhook.webhook_delivery "
                  "WHERE tenant_id = $T AND status = 'DEFERRED'"),
            Concat(mine[0], " ", mine[1], " ", mine[2], " ", others[0], " ", others[1]));
  // Behind those that were there: four of one, two of the other.
  EXPECT_EQ(Query("SELECT string_agg(sequence::text, ' ' ORDER BY delivery_id) FROM webhook.webhook_delivery "
                  "WHERE tenant_id = $T AND status = 'DEFERRED'"),
            "5 6 7 3 4");
  EXPECT_EQ(Query("SELECT string_agg(last_sequence::text, ' ' ORDER BY last_sequence) FROM "
                  "webhook.webhook_endpoint WHERE tenant_id = $T"),
            "1 4 7");
  EXPECT_EQ(AuditWords(subscription_)[0], "REDELIVERED 3 deliveries");
  EXPECT_EQ(AuditWords(other)[0], "REDELIVERED 2 deliveries");
  pb::ListDeliveriesRequest pending;
  pending.set_status(pb::DELIVERY_STATUS_PENDING);
  for (const std::string& id : Found(pending)) EXPECT_TRUE(DeliveryId::Parse(id).ok()) << id;

  EXPECT_EQ(Call(&DeliveryRpc::RedeliverRange, request, WithKey("key"))->count(), 5);
  EXPECT_TRUE(replayed());
  EXPECT_EQ(Count("status = 'DEFERRED'"), "5");
}

TEST_F(DeliveryLogTest, ARangeMayBeNarrowedInEveryWay) {
  Delivered(2);
  Delivered(2, kCreated);
  const auto count_of = [&](const std::function<void(pb::RedeliverRangeRequest&)>& narrow) {
    pb::RedeliverRangeRequest request;
    request.mutable_until()->set_seconds(1'000);  // none of those that are made here
    narrow(request);
    const auto made = Call(&DeliveryRpc::RedeliverRange, request);
    return made.ok() ? Concat(made->count()) : FieldOf(made.status());
  };
  EXPECT_EQ(count_of([](auto&) {}), "4");
  EXPECT_EQ(count_of([&](auto& r) { r.set_subscription_id(subscription_); }), "4");
  EXPECT_EQ(count_of([&](auto& r) { r.set_subscription_id(SubscriptionId::New().str()); }), "0");
  EXPECT_EQ(count_of([](auto& r) { r.set_event_type(kCreated); }), "2");
  EXPECT_EQ(count_of([](auto& r) { r.set_status(pb::DELIVERY_STATUS_FAILED); }), "0");
  EXPECT_EQ(count_of([](auto& r) { r.mutable_from()->set_seconds(4); }), "1");
  EXPECT_EQ(count_of([](auto& r) { r.set_event_type("x"); }), "eventType");
  EXPECT_EQ(count_of([](auto& r) { r.set_subscription_id("x"); }), "subscriptionId");
}

TEST_F(DeliveryLogTest, ThousandsAreOneStatementWithIdsInTheirOrder) {
  constexpr int kMany = 3'000;
  Query(Concat(R"sql(
    INSERT INTO webhook.webhook_delivery (tenant_id, delivery_id, subscription_id, event_id, event_type, body, sequence, status, ended_at)
    SELECT $T, 'whd_' || lpad(i::text, 26, '0'), ')sql",
               subscription_,
               R"sql(', 'event-' || i, 'ecommerce.order.order.paid.v1', '{}', i, 'FAILED', now()
    FROM generate_series(1, )sql",
               kMany, R"sql() i)sql"));
  pb::RedeliverRangeRequest request;
  request.set_subscription_id(subscription_);
  EXPECT_EQ(Call(&DeliveryRpc::RedeliverRange, request)->count(), kMany);
  EXPECT_EQ(Query("SELECT count(DISTINCT delivery_id) FROM webhook.webhook_delivery WHERE tenant_id = $T"),
            Concat(2 * kMany));
  EXPECT_EQ(Query("SELECT count(*) FROM (SELECT redelivery_of, lag(redelivery_of) OVER (ORDER BY "
                  "delivery_id) AS before "
                  "FROM webhook.webhook_delivery WHERE tenant_id = $T AND redelivery_of <> '') r WHERE "
                  "before > redelivery_of"),
            "0");
}

}  // namespace
}  // namespace bv::webhook
