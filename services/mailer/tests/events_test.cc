#include <thread>

#include "commerce/order/v1/events.pb.h"
#include "libs/base/strings.h"
#include "libs/events/outbox.h"
#include "libs/kafka/dead_letters.h"
#include "libs/testing/kafka/kafka_topic.h"
#include "services/mailer/events/order_events.h"
#include "services/mailer/tests/mailer_fixture.h"

namespace bv::mailer {
namespace {

namespace order = commerce::order::v1;
using ::testing::ElementsAre;

class EventsTest : public MailerTest {
 protected:
  EventsTest() {
    topic_.Create(3);
    retries_.Create(3, {{"cleanup.policy", "compact"}});
    dead_letters_.Create(1);
    Restart();
  }
  void Restart() {
    events_.reset();
    events_ = std::make_unique<OrderEvents>(
        kafka::ConsumerSettings{.brokers = testing::Environment("BV_KAFKA_BROKERS"), .instance_id = group_},
        database().Connection(), absl::Hours(72), group_, topic_.name());
    ASSERT_TRUE(events_->Start().ok());
  }
  ~EventsTest() override { events_->Stop(); }

  template <class Payload>
  testing::Written EventOf(Payload payload, std::int64_t version, absl::Time at = absl::Now()) const {
    payload.set_order_id(order_.str());
    payload.set_user_id("ada");
    const auto row = events::MakeRow(payload, version, at, testing::ContextOf(tenant_.str()));
    EXPECT_TRUE(row.ok()) << row.status();
    return {.key = row->key,
            .value = row->payload,
            .headers = {{"tenantId", tenant_.str()}, {"aggregateVersion", std::to_string(version)}}};
  }
  static order::OrderStatusChanged Changed(const char* reason, const char* fulfillment = "UNFULFILLED") {
    order::OrderStatusChanged changed;
    changed.set_status("PENDING");
    changed.set_payment_status("PENDING");
    changed.set_fulfillment_status(fulfillment);
    changed.set_reason(reason);
    return changed;
  }
  // In the order of their versions.
  std::vector<std::string> KindsWhenThereAre(int count) {
    const absl::Time deadline = absl::Now() + absl::Seconds(30);
    while (Mails().mails_size() < count && absl::Now() < deadline) std::this_thread::yield();
    const pb::ListMailsResponse mails = Mails();
    std::vector<std::string> kinds;
    for (const pb::Mail& mail : mails.mails()) kinds.push_back(mail.kind());
    std::ranges::sort(kinds);
    return kinds;
  }

  const testing::KafkaTopic topic_;
  const std::string group_ = Concat("mailer-test.", topic_.name());
  const testing::KafkaTopic retries_{events::RetryTopic(topic_.name(), group_)};
  const testing::KafkaTopic dead_letters_{kafka::DeadLetterTopic(topic_.name(), group_)};
  std::unique_ptr<OrderEvents> events_;
};

TEST_F(EventsTest, WhatBecomesOfAnOrderIsQueuedOnce) {
  SetSender();
  order::OrderCreated created;
  created.set_currency("EUR");
  order::OrderPaid paid;
  paid.set_currency("EUR");
  const std::vector<testing::Written> written{
      EventOf(created, 1),
      EventOf(Changed("PAYMENT_FAILED"), 2),
      EventOf(paid, 3),
      EventOf(Changed("PAID"), 3),
      EventOf(Changed("SHIPPED", "PARTIALLY_SHIPPED"), 4),
      EventOf(order::OrderFulfilled(), 5),
      EventOf(Changed("SHIPPED", "SHIPPED"), 5),
  };
  topic_.Write(written);
  // The relay has died, and tells it again.
  topic_.Write(written);
  order::OrderCanceled canceled;
  canceled.set_currency("EUR");
  topic_.Write({EventOf(canceled, 6)});
  EXPECT_THAT(KindsWhenThereAre(6), ElementsAre("ORDER_CANCELED", "ORDER_PAID", "ORDER_PLACED",
                                                "ORDER_SHIPPED", "ORDER_SHIPPED_IN_PART", "PAYMENT_FAILED"));
}

TEST_F(EventsTest, WhatIsOldIsNotWrittenAbout) {
  SetSender();
  database().Query(
      Concat("UPDATE mail.mail_sender SET since = now() - interval '30 days' WHERE tenant_id = '",
             tenant_.str(), "'"));
  order::OrderPaid paid;
  paid.set_currency("EUR");
  topic_.Write(
      {EventOf(paid, 2, absl::Now() - absl::Hours(73)), EventOf(paid, 3, absl::Now() - absl::Hours(71))});
  EXPECT_THAT(KindsWhenThereAre(1), ElementsAre("ORDER_PAID"));
}

TEST_F(EventsTest, WhatIsNoEventIsPutAside) {
  SetSender();
  testing::Written unnumbered = EventOf(order::OrderFulfilled(), 2);
  unnumbered.headers.erase("aggregateVersion");
  topic_.Write({unnumbered, EventOf(order::OrderFulfilled(), 3)});
  EXPECT_THAT(KindsWhenThereAre(1), ElementsAre("ORDER_SHIPPED"));
  EXPECT_EQ(dead_letters_.Read(1).size(), 1u);
}

}  // namespace
}  // namespace bv::mailer
