// What devices report, from the real Kafka to the rows of the stock.
#include "services/inventory/events/device_deltas.h"

#include <absl/strings/str_cat.h>

#include <random>
#include <set>
#include <thread>

#include "commerce/inventory/v1/events.pb.h"
#include "libs/events/outbox.h"
#include "libs/testing/kafka/kafka_topic.h"
#include "services/inventory/tests/stock_fixture.h"

namespace bv::inventory {
namespace {

class DeviceDeltasTest : public StockFixture {
 protected:
  DeviceDeltasTest() {
    topic_.Create(3);
    retries_.Create(3, {{"cleanup.policy", "compact"}});
    dead_letters_.Create(1);
    deltas_ = Start();
  }
  ~DeviceDeltasTest() override {
    // While the loop still runs.
    deltas_.reset();
  }

  std::unique_ptr<DeviceDeltas> Start() {
    const kafka::ConsumerSettings settings{.brokers = testing::Environment("BV_KAFKA_BROKERS")};
    auto deltas =
        std::make_unique<DeviceDeltas>(loop_.io(), room_, &FindProduct, settings, group_, topic_.name());
    EXPECT_TRUE(deltas->Start().ok());
    return deltas;
  }
  // Of a catalogue that lacks one SKU.
  static async::Task<absl::StatusOr<ProductId>> FindProduct(RequestContext, SkuCode sku) {
    if (sku.str() == "UNKNOWN")
      co_return Error(absl::StatusCode::kInvalidArgument, "SKU_UNKNOWN", "no such SKU");
    co_return ProductId::DerivedFrom({sku.str()});
  }
  static commerce::inventory::v1::DeltaReported ReportOf(const std::string& sku, std::int64_t delta,
                                                         const std::string& message,
                                                         const std::string& device = "press-1") {
    commerce::inventory::v1::DeltaReported report;
    report.set_sku(sku);
    report.set_device_id(device);
    report.set_message_id(message);
    report.set_delta(delta);
    report.set_reason("SENSOR");
    return report;
  }
  static testing::Written EventOf(const commerce::inventory::v1::DeltaReported& report,
                                  const std::string& tenant = "acme") {
    const auto row = events::MakeRow(report, 0, absl::Now(), testing::ContextOf(tenant));
    EXPECT_TRUE(row.ok()) << row.status();
    return {.key = row->key, .value = row->payload, .headers = {{"tenantId", tenant}}};
  }
  static testing::Written Tell(const std::string& sku, std::int64_t delta, const std::string& message,
                               const std::string& device = "press-1") {
    return EventOf(ReportOf(sku, delta, message, device));
  }
  void WaitForStock(const std::string& sku, const std::string& answer,
                    const std::string& tenant = "acme") const {
    const absl::Time deadline = absl::Now() + absl::Seconds(30);
    while (OnHand(sku, tenant) != answer && absl::Now() < deadline) std::this_thread::yield();
    EXPECT_EQ(OnHand(sku, tenant), answer) << sku;
  }
  std::string OnHand(const std::string& sku, const std::string& tenant = "acme") const {
    return database_.Query("SELECT sum(on_hand) FROM inventory.inventory_stock WHERE sku = '" + sku +
                           "' AND tenant_id = '" + tenant + "'");
  }
  // Of so many dead letters.
  std::multiset<std::string> Reasons(std::size_t count) const {
    std::multiset<std::string> reasons;
    for (const testing::Seen& letter : dead_letters_.Read(count))
      reasons.insert(letter.headers.at("__connect.errors.exception.class.name"));
    return reasons;
  }

  const testing::KafkaTopic topic_;
  const std::string group_ = "devices-test." + topic_.name();
  const testing::KafkaTopic retries_{events::RetryTopic(topic_.name(), group_)};
  const testing::KafkaTopic dead_letters_{kafka::DeadLetterTopic(topic_.name(), group_)};
  StockRoom room_{database_.Connection(), {.count = 2}, {}};
  std::unique_ptr<DeviceDeltas> deltas_;
};

TEST_F(DeviceDeltasTest, AReportIsAnAdjustmentOfTheStock) {
  topic_.Write({Tell("TENT", 10, "a")});
  WaitForStock("TENT", "10");
  commerce::inventory::v1::DeltaReported elsewhere = ReportOf("TENT", 5, "c");
  elsewhere.set_location_code("BACK");
  topic_.Write({Tell("TENT", -2, "b"), EventOf(elsewhere)});
  WaitForStock("TENT", "13");
  EXPECT_EQ(
      database_.Query("SELECT string_agg(concat_ws(' ', on_hand_delta, reason, user_id, location_code), ', ' "
                      "ORDER BY on_hand_delta) FROM inventory.inventory_adjustment"),
      "-2 SENSOR device:press-1 MAIN, 5 SENSOR device:press-1 BACK, 10 SENSOR device:press-1 MAIN");
  EXPECT_EQ(LedgerGaps(), "0");
}

TEST_F(DeviceDeltasTest, AMessageCountsOnceHoweverOftenItComes) {
  topic_.Write({Tell("TENT", 10, "a"), Tell("TENT", 10, "a"), Tell("TENT", 1, "b")});
  WaitForStock("TENT", "11");
  topic_.Write({Tell("TENT", 10, "a"), Tell("TENT", 100, "a", "press-2"),
                EventOf(ReportOf("TENT", 7, "a"), "globex")});
  WaitForStock("TENT", "111");
  WaitForStock("TENT", "7", "globex");
  // Another report under an id that was used is none.
  topic_.Write({Tell("TENT", 20, "a")});
  EXPECT_EQ(Reasons(1), (std::multiset<std::string>{"IDEMPOTENCY_KEY_REUSED"}));
  EXPECT_EQ(OnHand("TENT"), "111");
}

TEST_F(DeviceDeltasTest, WhatTheStockRefusesIsPutAside) {
  topic_.Write({Tell("TENT", 3, "a")});
  WaitForStock("TENT", "3");
  topic_.Write({Tell("TENT", -4, "b"), Tell("MUG", -1, "c"), Tell("UNKNOWN", 1, "d"), Tell("TENT", -3, "e")});
  WaitForStock("TENT", "0");
  EXPECT_EQ(Reasons(3), (std::multiset<std::string>{"SKU_UNKNOWN", "STOCK_NEGATIVE", "STOCK_NEGATIVE"}));
}

TEST_F(DeviceDeltasTest, WhatIsNoReportIsPutAside) {
  std::vector<testing::Written> spoilt = {
      {.key = "k", .value = "not JSON", .headers = {{"tenantId", "acme"}}}};
  const auto spoil = [&](const std::function<void(commerce::inventory::v1::DeltaReported&)>& change) {
    commerce::inventory::v1::DeltaReported report = ReportOf("TENT", 1, "a");
    change(report);
    spoilt.push_back(EventOf(report));
  };
  spoil([](auto& report) { report.set_device_id(""); });
  spoil([](auto& report) { report.set_message_id(""); });
  spoil([](auto& report) { report.set_message_id(std::string(65, 'x')); });
  spoil([](auto& report) { report.set_sku("a b"); });
  spoil([](auto& report) { report.set_sku("quota:sale-1"); });
  spoil([](auto& report) { report.set_delta(0); });
  spoil([](auto& report) { report.set_delta(1'000'000'001); });
  spoil([](auto& report) { report.set_reason("sensor"); });
  spoil([](auto& report) { report.set_location_code("A B"); });
  topic_.Write(spoilt);
  topic_.Write({Tell("TENT", 2, "good")});
  WaitForStock("TENT", "2");
  EXPECT_EQ(dead_letters_.Read(spoilt.size()).size(), spoilt.size());
}

TEST_F(DeviceDeltasTest, SeveralReportsOfASkuInABatchAreOneEvent) {
  ASSERT_TRUE(Adjust("TENT", 1'000).ok());
  deltas_->Stop();
  std::vector<testing::Written> reports;
  for (int i = 0; i < 200; ++i) reports.push_back(Tell("TENT", -1, absl::StrCat(i)));
  topic_.Write(reports);
  const std::string before = database_.Query("SELECT max(seq) FROM outbox.event");
  deltas_ = Start();
  WaitForStock("TENT", "800");
  const int events = std::stoi(database_.Query("SELECT count(*) FROM outbox.event WHERE seq > " + before));
  EXPECT_GE(events, 1);
  EXPECT_LE(events, 20) << "of 200 reports";
  EXPECT_EQ(database_.Query("SELECT sum((payload::json -> 'payload' ->> 'delta')::int) FROM outbox.event "
                            "WHERE seq > " +
                            before),
            "-200");
}

// Reports come twice and thrice, members come and go: each counts once.
TEST_F(DeviceDeltasTest, EachCountsOnceWhileMembersComeAndGo) {
  std::mt19937 random(6);
  const std::vector<std::string> skus = {"TENT", "MUG", "STOVE"};
  std::map<std::string, std::int64_t> expected;
  std::vector<testing::Written> told;
  std::unique_ptr<DeviceDeltas> second;
  for (int round = 0; round < 6; ++round) {
    std::vector<testing::Written> reports;
    for (int i = 0; i < 300; ++i) {
      const std::string& sku = skus[random() % skus.size()];
      const std::int64_t delta = 1 + static_cast<std::int64_t>(random() % 5);
      expected[sku] += delta;
      told.push_back(Tell(sku, delta, absl::StrCat(round, "-", i), absl::StrCat("press-", random() % 4)));
      reports.push_back(told.back());
      if (random() % 2 == 0) reports.push_back(told[random() % told.size()]);
    }
    topic_.Write(reports);
    if (round % 2 == 0) {
      second = Start();
    } else {
      second->Stop();
    }
  }
  for (const std::string& sku : skus) WaitForStock(sku, absl::StrCat(expected[sku]));
  // What came last may be a repetition that is still to come.
  for (const char* sku : {"LAST-1", "LAST-2", "LAST-3", "LAST-4"}) topic_.Write({Tell(sku, 1, sku)});
  for (const char* sku : {"LAST-1", "LAST-2", "LAST-3", "LAST-4"}) WaitForStock(sku, "1");
  for (const std::string& sku : skus) EXPECT_EQ(OnHand(sku), absl::StrCat(expected[sku]));
  EXPECT_EQ(LedgerGaps(), "0");
}

}  // namespace
}  // namespace bv::inventory
