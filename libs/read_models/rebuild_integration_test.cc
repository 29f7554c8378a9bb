// The same rows by two ways: by a runner as events come, and made anew from the log beside it.
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <random>
#include <thread>

#include "commerce/order/v1/events.pb.h"
#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/events/outbox.h"
#include "libs/kafka/dead_letters.h"
#include "libs/kafka/log_reader.h"
#include "libs/projections/parity.h"
#include "libs/projections/postgres_sink.h"
#include "libs/projections/postgres_versions.h"
#include "libs/projections/rebuild.h"
#include "libs/projections/runner.h"
#include "libs/read_models/read_models.h"
#include "libs/testing/kafka/kafka_topic.h"
#include "libs/testing/testing.h"

namespace bv::read_models {
namespace {

namespace order = commerce::order::v1;
using projections::Batch;
using projections::Difference;
using projections::Parity;
using projections::Positions;
using projections::PostgresSink;
using projections::PostgresVersions;
using projections::Projection;
using projections::ReadModel;
using projections::Rebuild;

constexpr absl::Duration kPatience = absl::Seconds(60);
constexpr int kPartitions = 3;
// Of a transaction of the rebuild; few, so that there are many.
constexpr int kBatchMax = 40;
constexpr int kNewVersion = 2;

// A sink that fails now and then, before or after its effect, as one does whose process or server crashes.
class UnsureSink : public ReadModel {
 public:
  UnsureSink(std::unique_ptr<ReadModel> sink, unsigned seed) : sink_(std::move(sink)), random_(seed) {}

  absl::Status Apply(const Projection& projection, const Batch& batch) override {
    const unsigned fate = random_() % 8;
    if (fate == 0) return absl::UnavailableError("gone before");
    RETURN_IF_ERROR(sink_->Apply(projection, batch));
    return fate == 1 ? absl::UnavailableError("gone after") : absl::OkStatus();
  }
  absl::StatusOr<Positions> PositionsOf(const Projection& projection) override {
    return sink_->PositionsOf(projection);
  }
  absl::StatusOr<Positions> Scan(const Projection& projection,
                                 const std::function<void(const projections::Row&)>& visit) override {
    return sink_->Scan(projection, visit);
  }

 private:
  const std::unique_ptr<ReadModel> sink_;
  std::mt19937 random_;
};

class RebuildTest : public ::testing::Test {
 protected:
  RebuildTest() : database_("analytics"), dead_letters_(kafka::DeadLetterTopic(topic_.name(), Group())) {
    topic_.Create(kPartitions);
    dead_letters_.Create(1);
    for (Projection& projection : AllProjections(*TimeZones::Create("UTC", {}), absl::Hours(24))) {
      projection.topics = {topic_.name()};
      all_.push_back(std::move(projection));
    }
    live_ = NewSink();
    for (const Projection& projection : all_) EXPECT_TRUE(live_->Register(projection).ok());
  }
  ~RebuildTest() override { StopLive(); }

  std::string Group() const { return "test-" + topic_.name(); }
  const Projection& Named(std::string_view name) const {
    return *std::ranges::find(all_, name, &Projection::name);
  }
  const Projection& Orders() const { return Named("orders_by_customer"); }
  const Projection& Daily() const { return Named("daily_revenue"); }
  kafka::ConsumerSettings KafkaSettings() const {
    return {
        .brokers = testing::Environment("BV_KAFKA_BROKERS"), .batch_max = kBatchMax, .instance_id = Group()};
  }

  std::unique_ptr<PostgresSink> NewSink(std::optional<int> version = std::nullopt) {
    return std::make_unique<PostgresSink>(database_.Connection(), version);
  }
  std::unique_ptr<Rebuild> NewRebuild(const Projection& projection, bool pass_over_refused = false) {
    return std::make_unique<Rebuild>(
        projections::RebuildSettings{.kafka = KafkaSettings(), .pass_over_refused = pass_over_refused},
        projection, [this] { return NewSink(kNewVersion); });
  }

  // What orders of some customers go through, the events of each in one partition.
  void WriteOrders(int orders) {
    std::vector<testing::Written> events;
    for (int i = 0; i < orders; ++i, ++orders_) {
      const std::string id = Concat("ord_", orders_), user = Concat("user-", orders_ % 7);
      const std::int64_t amount = 100 + static_cast<std::int64_t>(random_() % 1'000);
      events.push_back(EventOf(Created(id, user, amount), 1));
      if (random_() % 4 == 0) continue;
      events.push_back(EventOf(Paid(id, user, amount), 2));
      events.push_back(EventOf(Changed(id, user, "PAID"), 2));
      paid_ += amount;
      if (random_() % 5 > 0) continue;
      events.push_back(EventOf(Canceled(id, user, amount), 3));
      events.push_back(EventOf(Changed(id, user, "CANCELED"), 3));
      refunded_ += amount;
    }
    topic_.Write(events);
  }

  void StartLive() {
    std::vector<projections::Route> routes;
    for (const Projection& projection : all_) routes.push_back({projection, live_.get()});
    runner_ = std::make_unique<projections::Runner>(KafkaSettings(), Group(), std::move(routes),
                                                    std::vector<std::string>{topic_.name()});
    ASSERT_TRUE(runner_->Start().ok());
  }
  void StopLive() {
    if (runner_) runner_->Stop();
    runner_.reset();
  }
  Positions Ends() {
    kafka::LogReader reader(KafkaSettings(), "test", 1 << 20);
    const auto ranges = reader.RangesOf(topic_.name(), absl::Now() + kPatience);
    EXPECT_TRUE(ranges.ok()) << ranges.status();
    Positions ends;
    for (const auto& [partition, range] : *ranges) ends[{topic_.name(), partition}] = range.end;
    return ends;
  }
  void WaitForLive() {
    const Positions ends = projections::WithoutZeros(Ends());
    const absl::Time deadline = absl::Now() + kPatience;
    const auto sink = NewSink();
    for (const Projection& projection : all_) {
      while (*sink->PositionsOf(projection) != ends && absl::Now() < deadline) std::this_thread::yield();
      ASSERT_EQ(*sink->PositionsOf(projection), ends) << projection.name;
    }
  }

  absl::StatusOr<Parity> CompareWith(Rebuild& rebuild, const Projection& projection) {
    const auto catch_up = [&](const Positions& positions) { return rebuild.Advance(positions); };
    return projections::Compare(projection, *NewSink(), *NewSink(kNewVersion), catch_up);
  }
  void ExpectEqual(Rebuild& rebuild, const Projection& projection) {
    const auto parity = CompareWith(rebuild, projection);
    ASSERT_TRUE(parity.ok()) << parity.status();
    EXPECT_TRUE(parity->equal()) << projection.name;
    EXPECT_GT(parity->live.rows(), 0);
    EXPECT_EQ(parity->live.rows(), parity->rebuilt.rows());
    EXPECT_EQ(parity->live.sums(), parity->rebuilt.sums());
  }
  std::string LiveRevenue() const {
    return database_.Query(
        "SELECT sum(paid_amount) || ' ' || sum(refunded_amount) FROM analytics.daily_revenue WHERE "
        "rows_version = "
        "(SELECT live_version FROM analytics.projection WHERE name = 'daily_revenue')");
  }
  std::string Revenue() const { return Concat(paid_, " ", refunded_); }

  static testing::Written EventOf(const google::protobuf::Message& payload, std::int64_t version) {
    const auto row = events::MakeRow(payload, version, absl::Now(), testing::ContextOf("acme"));
    EXPECT_TRUE(row.ok()) << row.status();
    return {.key = row->key,
            .value = row->payload,
            .headers = {{"tenantId", "acme"}, {"aggregateVersion", std::to_string(version)}}};
  }
  static order::OrderCreated Created(const std::string& id, const std::string& user, std::int64_t amount) {
    order::OrderCreated created;
    created.set_order_id(id);
    created.set_user_id(user);
    created.set_total_amount(amount);
    created.set_currency("USD");
    return created;
  }
  static order::OrderPaid Paid(const std::string& id, const std::string& user, std::int64_t amount) {
    order::OrderPaid paid;
    paid.set_order_id(id);
    paid.set_user_id(user);
    paid.set_total_amount(amount);
    paid.set_currency("USD");
    return paid;
  }
  static order::OrderCanceled Canceled(const std::string& id, const std::string& user, std::int64_t amount) {
    order::OrderCanceled canceled;
    canceled.set_order_id(id);
    canceled.set_user_id(user);
    canceled.set_refunded_amount(amount);
    canceled.set_currency("USD");
    return canceled;
  }
  static order::OrderStatusChanged Changed(const std::string& id, const std::string& user,
                                           const char* status) {
    order::OrderStatusChanged changed;
    changed.set_order_id(id);
    changed.set_user_id(user);
    changed.set_status(status);
    changed.set_payment_status("PAID");
    changed.set_fulfillment_status("UNFULFILLED");
    return changed;
  }

  testing::Database database_;
  testing::KafkaTopic topic_;
  testing::KafkaTopic dead_letters_;
  std::vector<Projection> all_;
  std::unique_ptr<PostgresSink> live_;
  std::unique_ptr<projections::Runner> runner_;
  std::mt19937 random_{7};
  int orders_ = 0;
  std::int64_t paid_ = 0, refunded_ = 0;
};

TEST_F(RebuildTest, GivesTheRowsOfTheLivePath) {
  WriteOrders(300);
  StartLive();
  WaitForLive();
  for (const char* name : {"orders_by_customer", "daily_revenue", "revenue_by_minute"}) {
    const auto rebuild = NewRebuild(Named(name));
    ExpectEqual(*rebuild, Named(name));
    EXPECT_GT(rebuild->applied(), 300);
    EXPECT_EQ(rebuild->refused(), 0);
  }
}

TEST_F(RebuildTest, GoesOnWhereTheRowsAre) {
  std::random_device device;
  const unsigned seed = device();
  SCOPED_TRACE(Concat("seed ", seed));
  std::mt19937 random(seed);
  WriteOrders(300);
  StartLive();
  WaitForLive();
  for (const Projection* projection : {&Orders(), &Daily()}) {
    // As the process that dies and is started again: nothing is left but the rows.
    absl::Status advanced = absl::UnavailableError("not begun");
    while (!advanced.ok()) {
      ASSERT_TRUE(absl::IsUnavailable(advanced)) << advanced;
      Rebuild rebuild({.kafka = KafkaSettings()}, *projection, [&] {
        return std::make_unique<UnsureSink>(NewSink(kNewVersion), static_cast<unsigned>(random()));
      });
      advanced = rebuild.Advance(Ends());
    }
    EXPECT_EQ(*NewSink(kNewVersion)->PositionsOf(*projection), Ends());
    ExpectEqual(*NewRebuild(*projection), *projection);
  }
}

TEST_F(RebuildTest, ASwitchUnderLoadLosesAndDoublesNothing) {
  WriteOrders(200);
  StartLive();
  WaitForLive();
  std::atomic<bool> enough = false;
  std::future<void> load = std::async(std::launch::async, [&] {
    while (!enough) WriteOrders(20);
  });
  std::future<void> reader = std::async(std::launch::async, [&] {
    // Nobody ever reads fewer orders than before.
    int before = 0;
    while (!enough) {
      const int orders = std::stoi(database_.Query(
          "SELECT count(*) FROM analytics.orders_by_customer WHERE rows_version = "
          "(SELECT live_version FROM analytics.projection WHERE name = 'orders_by_customer')"));
      ASSERT_GE(orders, before);
      before = orders;
    }
  });
  for (const Projection* projection : {&Orders(), &Daily()}) {
    const auto rebuild = NewRebuild(*projection);
    ExpectEqual(*rebuild, *projection);
    const auto catch_up = [&](const Positions& positions) { return rebuild->Advance(positions); };
    const absl::Status switched =
        PostgresVersions(database_.Connection()).Switch(*projection, kNewVersion, catch_up);
    EXPECT_TRUE(switched.ok()) << switched;
  }
  // Some events behind the switch.
  const int orders = orders_;
  const absl::Time deadline = absl::Now() + kPatience;
  while (std::stoi(database_.Query(
             "SELECT count(*) FROM analytics.orders_by_customer WHERE rows_version = 2")) <= orders &&
         absl::Now() < deadline) {
    std::this_thread::yield();
  }
  enough = true;
  load.get();
  reader.get();
  WaitForLive();
  EXPECT_EQ(LiveRevenue(), Revenue());
  EXPECT_EQ(database_.Query("SELECT count(*) FROM analytics.orders_by_customer WHERE rows_version = 2"),
            std::to_string(orders_));
}

TEST_F(RebuildTest, RowsThatAreNotWhatTheLogSaysAreFoundAndNamed) {
  WriteOrders(200);
  StartLive();
  WaitForLive();
  database_.Query(
      "UPDATE analytics.orders_by_customer SET total_amount = total_amount + 1 WHERE order_id = 'ord_5'; "
      "DELETE FROM analytics.orders_by_customer WHERE order_id = 'ord_6'; "
      "INSERT INTO analytics.orders_by_customer SELECT 'acme', 1, 'user-1', 'ord_never', 1, 100, 'USD', "
      "now(), 1, "
      "'PENDING', '', 'UNFULFILLED', now()");
  const auto parity = CompareWith(*NewRebuild(Orders()), Orders());
  ASSERT_TRUE(parity.ok()) << parity.status();
  EXPECT_EQ(parity->buckets_different.size(), 3u);
  ASSERT_EQ(parity->differences.size(), 3u);
  for (const Difference& difference : parity->differences) {
    const auto& id = std::get<std::string>(std::get<1>(difference.key)[1]);
    EXPECT_EQ(difference.live.has_value(), id != "ord_6") << id;
    EXPECT_EQ(difference.rebuilt.has_value(), id != "ord_never") << id;
    EXPECT_TRUE(id == "ord_5" || id == "ord_6" || id == "ord_never") << id;
  }
  EXPECT_TRUE(CompareWith(*NewRebuild(Daily()), Daily())->equal()) << "the other projection";
}

TEST_F(RebuildTest, AnEventThatIsRefusedIsNamed) {
  WriteOrders(10);
  const Positions before = Ends();
  testing::Written unversioned = EventOf(Changed("ord_1", "user-1", "PAID"), 7);
  unversioned.headers.erase("aggregateVersion");
  topic_.Write({EventOf(Changed("ord_0", "", "PAID"), 7), {.key = "ord_0", .value = "no JSON"}, unversioned});
  WriteOrders(10);
  const auto strict = NewRebuild(Orders());
  const absl::Status refused = strict->Advance(Ends());
  EXPECT_EQ(ErrorReason(refused), "EVENT_REFUSED") << refused;
  bool named = false;
  for (const auto& [partition, offset] : before) {
    named |=
        std::string(refused.message())
            .find(Concat(topic_.name(), "/", partition.number, " at offset ", offset)) != std::string::npos;
  }
  EXPECT_TRUE(named) << refused;
  const auto lenient = NewRebuild(Orders(), true);
  ASSERT_TRUE(lenient->Advance(Ends()).ok());
  EXPECT_EQ(lenient->refused(), 3);
  // As the live path does.
  StartLive();
  WaitForLive();
  ExpectEqual(*lenient, Orders());
}

TEST_F(RebuildTest, RowsAreAsTheyWereAtAPosition) {
  WriteOrders(50);
  const Positions then = Ends();
  const std::string revenue = Revenue();
  WriteOrders(50);
  ASSERT_TRUE(NewRebuild(Daily())->Advance(then).ok());
  EXPECT_EQ(
      database_.Query("SELECT sum(paid_amount) || ' ' || sum(refunded_amount) FROM analytics.daily_revenue"),
      revenue);
  EXPECT_EQ(*NewSink(kNewVersion)->PositionsOf(Daily()), then);
  EXPECT_EQ(ErrorReason(NewRebuild(Daily())->Advance({})), "AHEAD");
}

TEST_F(RebuildTest, ALogWithoutItsBeginningIsNotEnough) {
  WriteOrders(30);
  StartLive();
  WaitForLive();
  const Positions then = Ends();
  ASSERT_TRUE(NewRebuild(Daily())->Advance(then).ok());
  for (const auto& [partition, offset] : then) topic_.DeleteBefore(partition.number, offset);
  EXPECT_EQ(ErrorReason(NewRebuild(Orders())->Advance(then)), "LOG_INCOMPLETE");
  WriteOrders(30);
  WaitForLive();
  ExpectEqual(*NewRebuild(Daily()), Daily());
}

TEST_F(RebuildTest, ACanceledRebuildEndsAndGoesOnLater) {
  WriteOrders(300);
  const Positions ends = Ends();
  const auto canceled = NewRebuild(Orders());
  std::future<absl::Status> advanced =
      std::async(std::launch::async, [&] { return canceled->Advance(ends); });
  while (canceled->applied() == 0 &&
         advanced.wait_for(std::chrono::seconds(0)) == std::future_status::timeout)
    std::this_thread::yield();
  canceled->Cancel();
  advanced.wait();
  EXPECT_TRUE(absl::IsCancelled(canceled->Advance(ends)));
  ASSERT_TRUE(NewRebuild(Orders())->Advance(ends).ok());
  EXPECT_EQ(*NewSink(kNewVersion)->PositionsOf(Orders()), ends);
}

}  // namespace
}  // namespace bv::read_models
