// The carts' requests, from the real Kafka to the rows of the stock.
#include "services/inventory/events/hold_requests.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_replace.h>

#include <map>
#include <random>
#include <thread>

#include "commerce/inventory/v1/events.pb.h"
#include "libs/events/outbox.h"
#include "libs/testing/kafka/kafka_topic.h"
#include "services/inventory/tests/stock_fixture.h"

namespace bv::inventory {
namespace {

class HoldRequestsTest : public StockFixture {
 protected:
  HoldRequestsTest() {
    topic_.Create(3);
    retries_.Create(3, {{"cleanup.policy", "compact"}});
    dead_letters_.Create(1);
    requests_ = Start();
  }
  ~HoldRequestsTest() override {
    // While the loop still runs.
    requests_.reset();
  }

  std::unique_ptr<HoldRequests> Start() {
    const kafka::ConsumerSettings settings{.brokers = testing::Environment("BV_KAFKA_BROKERS")};
    auto requests = std::make_unique<HoldRequests>(loop_.io(), room_, settings, group_, topic_.name());
    EXPECT_TRUE(requests->Start().ok());
    return requests;
  }
  static commerce::inventory::v1::ReservationRequested RequestOf(int cart, const std::string& sku,
                                                                 std::int64_t qty, std::int64_t version) {
    commerce::inventory::v1::ReservationRequested request;
    const std::string cart_id = CartId::DerivedFrom({absl::StrCat(cart)}).str();
    request.set_reservation_id(HoldId::DerivedFrom({cart_id, sku}).str());
    request.set_cart_id(cart_id);
    request.set_user_id("ada");
    request.set_sku(sku);
    request.set_qty(qty);
    request.set_hold_seconds(900);
    request.set_item_version(version);
    return request;
  }
  testing::Written EventOf(const commerce::inventory::v1::ReservationRequested& request,
                           const std::string& tenant = "acme") const {
    const auto row =
        events::MakeRow(request, request.item_version(), absl::Now(), testing::ContextOf(tenant));
    EXPECT_TRUE(row.ok()) << row.status();
    return {.key = row->key, .value = row->payload, .headers = {{"tenantId", tenant}}};
  }
  testing::Written Ask(int cart, const std::string& sku, std::int64_t qty, std::int64_t version) const {
    return EventOf(RequestOf(cart, sku, qty, version));
  }
  void WaitFor(const std::string& sql, const std::string& answer) const {
    const absl::Time deadline = absl::Now() + absl::Seconds(30);
    while (database_.Query(sql) != answer && absl::Now() < deadline) std::this_thread::yield();
    EXPECT_EQ(database_.Query(sql), answer) << sql;
  }
  void WaitForReserved(const std::string& sku, std::int64_t qty) const {
    WaitFor("SELECT sum(reserved) FROM inventory.inventory_stock WHERE sku = '" + sku + "'",
            absl::StrCat(qty));
  }
  void WaitForOutcome(const std::string& outcome, double count) const {
    const prometheus::Counter& counter = telemetry::Counter(
        "consumer_events_total", "", {{"group", group_}, {"topic", topic_.name()}, {"outcome", outcome}});
    const absl::Time deadline = absl::Now() + absl::Seconds(30);
    while (counter.Value() < count && absl::Now() < deadline) std::this_thread::yield();
    EXPECT_EQ(counter.Value(), count) << outcome;
  }
  static std::string EventsOf(const std::string& verb) {
    return "SELECT count(*) FROM outbox.event WHERE type = 'ecommerce.inventory.reservation." + verb + ".v1'";
  }

  const testing::KafkaTopic topic_;
  const std::string group_ = "holds-test." + topic_.name();
  const testing::KafkaTopic retries_{events::RetryTopic(topic_.name(), group_)};
  const testing::KafkaTopic dead_letters_{kafka::DeadLetterTopic(topic_.name(), group_)};
  StockRoom room_{database_.Connection(), {.count = 2}, {}};
  std::unique_ptr<HoldRequests> requests_;
};

TEST_F(HoldRequestsTest, ARequestIsHeldOrRejected) {
  ASSERT_TRUE(Adjust("TENT", 10).ok());
  topic_.Write({Ask(1, "TENT", 7, 1)});
  WaitFor(EventsOf("held"), "1");
  EXPECT_EQ(Stock("TENT"), "MAIN 10/7 v2");
  EXPECT_EQ(database_.Query("SELECT concat_ws(' ', status, holder, user_id, expires_at - created_at) "
                            "FROM inventory.reservation"),
            "HELD CART ada 00:15:00");
  topic_.Write({Ask(2, "TENT", 4, 1)});
  WaitFor(EventsOf("rejected"), "1");
  EXPECT_EQ(Stock("TENT"), "MAIN 10/7 v2");
}

TEST_F(HoldRequestsTest, ANewerRequestTakesThePlaceOfTheOneBefore) {
  ASSERT_TRUE(Adjust("TENT", 10).ok());
  topic_.Write({Ask(1, "TENT", 7, 1)});
  WaitForReserved("TENT", 7);
  topic_.Write({Ask(1, "TENT", 9, 2), Ask(1, "TENT", 3, 3), Ask(1, "TENT", 7, 1)});
  WaitForReserved("TENT", 3);
  topic_.Write({Ask(1, "TENT", 0, 4)});
  WaitForReserved("TENT", 0);
  EXPECT_EQ(LedgerGaps(), "0");
}

TEST_F(HoldRequestsTest, WhatIsGivenBackIsThereForTheOthersOfTheBatch) {
  ASSERT_TRUE(Adjust("TENT", 1).ok());
  topic_.Write({Ask(1, "TENT", 1, 1)});
  WaitForReserved("TENT", 1);
  requests_->Stop();
  // Of one partition, so that they come in one batch.
  testing::Written wanted = Ask(2, "TENT", 1, 1), given_back = Ask(1, "TENT", 0, 2);
  given_back.key = wanted.key;
  topic_.Write({wanted, given_back});
  requests_ = Start();
  WaitFor(EventsOf("held"), "2");
  EXPECT_EQ(database_.Query(EventsOf("rejected")), "0");
}

TEST_F(HoldRequestsTest, WhatIsNoRequestIsPutAsideOrPassedOver) {
  ASSERT_TRUE(Adjust("TENT", 10).ok());
  const auto bad = [](const std::function<void(commerce::inventory::v1::ReservationRequested&)>& spoil) {
    commerce::inventory::v1::ReservationRequested request = RequestOf(1, "TENT", 1, 1);
    spoil(request);
    return request;
  };
  const std::vector<testing::Written> spoilt = {
      {.key = "k", .value = "not JSON", .headers = {{"tenantId", "acme"}}},
      EventOf(bad([](auto& request) { request.set_reservation_id("order-1"); })),
      EventOf(bad([](auto& request) { request.set_cart_id(""); })),
      EventOf(bad([](auto& request) { request.set_sku("a b"); })),
      EventOf(bad([](auto& request) { request.set_qty(-1); })),
      EventOf(bad([](auto& request) { request.set_qty(1'000'001); })),
      EventOf(bad([](auto& request) { request.set_hold_seconds(0); })),
      EventOf(bad([](auto& request) { request.set_hold_seconds(86'401); })),
      EventOf(bad([](auto& request) { request.set_item_version(0); }))};
  topic_.Write(spoilt);
  testing::Written of_other_type = Ask(1, "TENT", 1, 1);
  absl::StrReplaceAll({{"reservation.requested", "reservation.held"}}, &of_other_type.value);
  topic_.Write({of_other_type, Ask(2, "TENT", 2, 1)});
  WaitForReserved("TENT", 2);
  EXPECT_EQ(dead_letters_.Read(spoilt.size()).size(), spoilt.size());
  // Another cart's id under the same reservation is refused by the stock itself.
  commerce::inventory::v1::ReservationRequested stolen = RequestOf(2, "TENT", 5, 2);
  stolen.set_cart_id(CartId::New().str());
  topic_.Write({EventOf(stolen)});
  EXPECT_EQ(dead_letters_.Read(spoilt.size() + 1).back().headers.at("__connect.errors.exception.class.name"),
            "RESERVATION_MISMATCH");
  EXPECT_EQ(Stock("TENT"), "MAIN 10/2 v2");
}

TEST_F(HoldRequestsTest, TenantsHaveTheirOwn) {
  ASSERT_TRUE(Adjust("TENT", 10).ok());
  topic_.Write({EventOf(RequestOf(1, "TENT", 1, 1), "globex")});
  WaitFor(EventsOf("rejected"), "1");
  EXPECT_EQ(Stock("TENT"), "MAIN 10/0 v1");
}

TEST_F(HoldRequestsTest, WhatFailsComesAgainAndTheRestGoesOn) {
  ASSERT_TRUE(Adjust("TENT", 10).ok());
  // As a batch of the lane would fail by a defect, for one cart's requests only.
  database_.Query("ALTER TABLE inventory.reservation ADD CONSTRAINT no_four CHECK (cart_id <> '" +
                  CartId::DerivedFrom({"4"}).str() + "')");
  topic_.Write({Ask(4, "TENT", 3, 1), Ask(5, "TENT", 2, 1)});
  WaitForReserved("TENT", 2);
  WaitForOutcome("parked", 1);
  // Behind what is parked.
  topic_.Write({Ask(4, "TENT", 4, 2), Ask(6, "TENT", 1, 1)});
  WaitForReserved("TENT", 3);
  WaitForOutcome("parked", 2);
  database_.Query("ALTER TABLE inventory.reservation DROP CONSTRAINT no_four");
  WaitForReserved("TENT", 7);
  EXPECT_EQ(HeldGaps(), "0");
}

// Many carts change their minds, members come and go: in the end what is held is what was asked for last.
TEST_F(HoldRequestsTest, InTheEndEveryCartHoldsWhatItAskedForLast) {
  constexpr int kCarts = 40;
  const std::vector<std::string> skus = {"TENT", "MUG", "STOVE"};
  for (const std::string& sku : skus) ASSERT_TRUE(Adjust(sku, 10'000).ok());
  std::mt19937 random(4);
  std::map<std::pair<int, std::string>, std::pair<std::int64_t, std::int64_t>> last;  // version and quantity
  std::unique_ptr<HoldRequests> second;
  for (int round = 0; round < 6; ++round) {
    std::vector<testing::Written> asked;
    for (int i = 0; i < 200; ++i) {
      const int cart = static_cast<int>(random() % kCarts);
      const std::string& sku = skus[random() % skus.size()];
      auto& [version, qty] = last[{cart, sku}];
      qty = static_cast<std::int64_t>(random() % 4);
      asked.push_back(Ask(cart, sku, qty, ++version));
    }
    topic_.Write(asked);
    if (round % 2 == 0) {
      second = Start();
    } else {
      second->Stop();
    }
  }
  std::map<std::string, std::int64_t> expected;
  for (const auto& [key, wanted] : last) expected[key.second] += wanted.second;
  for (const std::string& sku : skus) WaitForReserved(sku, expected[sku]);
  EXPECT_EQ(LedgerGaps(), "0");
  EXPECT_EQ(HeldGaps(), "0");
  EXPECT_EQ(database_.Query(EventsOf("rejected")), "0");
}

}  // namespace
}  // namespace bv::inventory
