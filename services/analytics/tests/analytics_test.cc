// From events on the real Kafka to the answers of the service.
#include <gtest/gtest.h>

#include <thread>

#include "commerce/inventory/v1/events.pb.h"
#include "commerce/order/v1/events.pb.h"
#include "libs/base/error.h"
#include "libs/base/id.h"
#include "libs/events/outbox.h"
#include "libs/kafka/dead_letters.h"
#include "libs/projections/postgres_sink.h"
#include "libs/read_models/read_models.h"
#include "libs/testing/kafka/kafka_topic.h"
#include "libs/testing/testing.h"
#include "services/analytics/rpc/analytics_rpc.h"

namespace bv::analytics {
namespace {

namespace order = commerce::order::v1;
namespace inventory = commerce::inventory::v1;

class AnalyticsTest : public ::testing::Test {
 protected:
  AnalyticsTest()
      : database_("analytics"),
        dead_letters_(kafka::DeadLetterTopic(topic_.name(), Group())),
        zones_(*read_models::TimeZones::Create("UTC", {"berlin=Europe/Berlin"})) {
    topic_.Create(3);
    dead_letters_.Create(1);
    pool_ = std::make_unique<postgres::Pool>(database_.Connection(), postgres::PoolSettings{.size = 2},
                                             postgres::Plans::kIndexOnly);
    Restart();
  }
  ~AnalyticsTest() override { runner_->Stop(); }

  std::string Group() const { return "test-" + topic_.name(); }

  // As after a crash: a new process, which goes on where the group's offsets are.
  void Restart() {
    rpc_.reset();
    live_.reset();
    runner_.reset();
    sink_ = std::make_unique<projections::PostgresSink>(database_.Connection(), std::nullopt);
    std::vector<projections::Route> routes;
    for (projections::Projection& projection : read_models::AllProjections(zones_, kKeep)) {
      ASSERT_TRUE(sink_->Register(projection).ok());
      routes.push_back({std::move(projection), sink_.get()});
    }
    const kafka::ConsumerSettings kafka{.brokers = testing::Environment("BV_KAFKA_BROKERS"),
                                        .instance_id = Group()};
    runner_ = std::make_unique<projections::Runner>(kafka, Group(), std::move(routes),
                                                    std::vector<std::string>{topic_.name()});
    live_ = std::make_unique<LiveRevenue>(loop_.io(), *pool_, *runner_, kLive, kKeep);
    rpc_ = std::make_unique<AnalyticsRpc>(*pool_, *live_, zones_);
    ASSERT_TRUE(runner_->Start().ok());
  }

  static testing::Written EventOf(const google::protobuf::Message& payload, std::int64_t version,
                                  absl::Time at = absl::Now(), const char* tenant = "acme") {
    const auto row = events::MakeRow(payload, version, at, testing::ContextOf(tenant));
    EXPECT_TRUE(row.ok()) << row.status();
    return {.key = row->key,
            .value = row->payload,
            .headers = {{"tenantId", tenant}, {"aggregateVersion", std::to_string(version)}}};
  }
  static order::OrderPaid Paid(std::int64_t amount) {
    order::OrderPaid paid;
    paid.set_order_id("ord_1");
    paid.set_user_id("ada");
    paid.set_total_amount(amount);
    paid.set_currency("USD");
    return paid;
  }

  template <class Response, class Request>
  absl::StatusOr<Response> Call(rpc::Reply<Response> (AnalyticsRpc::*method)(rpc::Call<Request>),
                                const Request& request, const RequestContext& context) {
    return loop_.Run(((*rpc_).*method)(rpc::Call<Request>(request, context)));
  }
  static RequestContext Staff() { return testing::ContextOf("acme", "sam", Role::kStaff); }

  absl::StatusOr<pb::GetLiveRevenueResponse> Live(int minutes = 0) {
    pb::GetLiveRevenueRequest request;
    request.set_minutes(minutes);
    return Call(&AnalyticsRpc::GetLiveRevenue, request, Staff());
  }
  // Waits until so many orders count as paid over the minutes that are kept.
  void WaitForPaid(std::int64_t orders) {
    const std::string sql = "SELECT coalesce(sum(paid_orders), 0) FROM analytics.revenue_by_minute";
    WaitFor(sql, std::to_string(orders));
  }
  void WaitFor(const std::string& sql, const std::string& expected) {
    const absl::Time deadline = absl::Now() + absl::Seconds(30);
    std::string found;
    while ((found = database_.Query(sql)) != expected && absl::Now() < deadline) std::this_thread::yield();
    ASSERT_EQ(found, expected) << sql;
  }

  static constexpr absl::Duration kKeep = absl::Hours(2);
  static constexpr LiveSettings kLive{
      .allowed_lateness = absl::Seconds(1), .interval = absl::Hours(1), .metric_window = absl::Minutes(5)};
  testing::Loop loop_;
  testing::Database database_;
  testing::KafkaTopic topic_;
  testing::KafkaTopic dead_letters_;
  const read_models::TimeZones zones_;
  std::unique_ptr<postgres::Pool> pool_;
  std::unique_ptr<projections::PostgresSink> sink_;
  std::unique_ptr<projections::Runner> runner_;
  std::unique_ptr<LiveRevenue> live_;
  std::unique_ptr<AnalyticsRpc> rpc_;
};

TEST_F(AnalyticsTest, ALateEventCorrectsItsMinute) {
  const absl::Time now = absl::Now();
  topic_.Write({EventOf(Paid(1'000), 1, now)});
  WaitForPaid(1);
  topic_.Write({EventOf(Paid(250), 1, now - absl::Minutes(10)), EventOf(Paid(50), 1, now)});
  WaitForPaid(3);
  const auto live = Live();
  ASSERT_TRUE(live.ok()) << live.status();
  ASSERT_EQ(live->windows_size(), 2);
  EXPECT_EQ(live->windows(0).paid_amount(), 250);
  EXPECT_EQ(live->windows(1).paid_amount(), 1'050);
  EXPECT_EQ(Live(5)->windows_size(), 1);
}

TEST_F(AnalyticsTest, AMinuteIsCompleteBehindTheWatermark) {
  topic_.Write({EventOf(Paid(1), 1, absl::Now() - absl::Minutes(3))});
  WaitForPaid(1);
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  while (!runner_->caught_up_lately() && absl::Now() < deadline) std::this_thread::yield();
  topic_.Write({EventOf(Paid(1), 1, absl::Now())});
  WaitForPaid(2);
  const auto live = Live();
  ASSERT_TRUE(live.ok()) << live.status();
  ASSERT_EQ(live->windows_size(), 2);
  EXPECT_TRUE(live->windows(0).complete());
  EXPECT_FALSE(live->windows(1).complete());
}

TEST_F(AnalyticsTest, OldMinutesAreDeletedAndTheMetricIsSet) {
  const absl::Time now = absl::Now();
  topic_.Write({EventOf(Paid(700), 1, now - absl::Minutes(2)), EventOf(Paid(1), 1, now - absl::Hours(3))});
  WaitForPaid(2);
  const auto more = loop_.Run(live_->Round(now));
  ASSERT_TRUE(more.ok()) << more.status();
  EXPECT_FALSE(*more);
  EXPECT_EQ(database_.Query("SELECT count(*) FROM analytics.revenue_by_minute"), "1");
  const auto& gauge = telemetry::Gauge("analytics_live_revenue_minor_units",
                                       "Paid less refunded in the last whole minutes, of all tenants.",
                                       {{"currency", "USD"}});
  EXPECT_EQ(gauge.Value(), 700);
  ASSERT_TRUE(loop_.Run(live_->Round(now + absl::Minutes(30))).ok());
  EXPECT_EQ(gauge.Value(), 0) << "its minutes are over";
}

TEST_F(AnalyticsTest, WhatComesAgainAfterARestartCountsOnce) {
  std::vector<testing::Written> events;
  for (int i = 0; i < 50; ++i) events.push_back(EventOf(Paid(100), i + 1));
  topic_.Write(events);
  WaitForPaid(50);
  // Its offsets are committed later than its rows; without Stop they may not be at all.
  Restart();
  topic_.Write({EventOf(Paid(100), 51)});
  WaitForPaid(51);
  EXPECT_EQ(database_.Query("SELECT sum(paid_amount) FROM analytics.daily_revenue"), "5100");
}

TEST_F(AnalyticsTest, WhatCannotBeAppliedIsPutAsideAndTheRestGoesOn) {
  testing::Written unversioned = EventOf(Paid(1), 1);
  unversioned.headers.erase("aggregateVersion");
  topic_.Write({EventOf(Paid(-5), 1), unversioned, EventOf(Paid(3), 2)});
  WaitForPaid(1);
  EXPECT_EQ(dead_letters_.Read(2).size(), 2u);
}

TEST_F(AnalyticsTest, CustomersSeeTheirOwnOrdersPageByPage) {
  std::vector<testing::Written> events;
  for (int i = 0; i < 5; ++i) {
    order::OrderCreated created;
    created.set_order_id("ord_" + std::to_string(i));
    created.set_user_id(i == 4 ? "bob" : "ada");
    created.set_total_amount(100 + i);
    created.set_currency("USD");
    events.push_back(EventOf(created, 1));
  }
  topic_.Write(events);
  WaitFor("SELECT count(*) FROM analytics.orders_by_customer", "5");
  const RequestContext ada = testing::ContextOf("acme", "ada");
  pb::ListOrdersByCustomerRequest request;
  request.set_page_size(3);
  const auto first = Call(&AnalyticsRpc::ListOrdersByCustomer, request, ada);
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_EQ(first->orders_size(), 3);
  EXPECT_EQ(first->orders(0).order_id(), "ord_3");
  EXPECT_EQ(first->orders(0).total_amount(), 103);
  EXPECT_EQ(first->orders(0).status(), "PENDING");
  request.set_page_token(first->next_page_token());
  const auto second = Call(&AnalyticsRpc::ListOrdersByCustomer, request, ada);
  ASSERT_EQ(second->orders_size(), 1);
  EXPECT_EQ(second->orders(0).order_id(), "ord_0");
  EXPECT_EQ(second->next_page_token(), "");
  request.set_user_id("bob");
  EXPECT_EQ(ErrorReason(Call(&AnalyticsRpc::ListOrdersByCustomer, request, ada).status()), "NOT_YOURS");
  EXPECT_EQ(
      Call(&AnalyticsRpc::ListOrdersByCustomer, request, testing::ContextOf("bolt", "sam", Role::kStaff))
          ->orders_size(),
      0)
      << "another tenant";
}

TEST_F(AnalyticsTest, DaysAreBounded) {
  const auto refused = [this](const char* from, const char* to) {
    pb::GetDailyRevenueRequest request;
    request.set_from_day(from);
    request.set_to_day(to);
    return GetErrorDetail(Call(&AnalyticsRpc::GetDailyRevenue, request, Staff()).status()).field;
  };
  EXPECT_EQ(refused("", ""), "fromDay");
  EXPECT_EQ(refused("2026-02-30", ""), "fromDay");
  EXPECT_EQ(refused("12026-01-01", ""), "fromDay");
  EXPECT_EQ(refused("2026-01-02", "2026-01-01"), "toDay");
  EXPECT_EQ(refused("2025-01-01", "2026-01-03"), "toDay");
  EXPECT_EQ(refused("2025-01-01", "2026-01-02"), "");
  EXPECT_EQ(refused("0000-01-01", ""), "fromDay");
  for (const char* day : {"0001-01-01", "0049-12-10", "9999-12-31"}) {
    pb::GetDailyRevenueRequest request;
    request.set_from_day(day);
    EXPECT_TRUE(Call(&AnalyticsRpc::GetDailyRevenue, request, Staff()).ok()) << day;
  }
}

}  // namespace
}  // namespace bv::analytics
