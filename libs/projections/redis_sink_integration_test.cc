#include <absl/strings/numbers.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "libs/base/clock.h"
#include "libs/base/error.h"
#include "libs/base/id.h"
#include "libs/base/strings.h"
#include "libs/projections/redis_rows.h"
#include "libs/projections/redis_sink.h"
#include "libs/testing/redis_server.h"
#include "libs/testing/testing.h"

namespace bv::projections {
namespace {

// One row a hash, in two facets.
Projection Orders() {
  return {.name = "test_orders",
          .shape = {.key = {{"order_id", Kind::kText}},
                    .facets = {{"state", {{"status", Kind::kText}}},
                               {"money", {{"total", Kind::kInteger}, {"paid_at", Kind::kTime}}}}}};
}
// Rows of one product in one hash, that end.
Projection Sales() {
  return {.name = "test_sales",
          .shape = {.key = {{"product_id", Kind::kText}, {"sale_id", Kind::kText}},
                    .facets = {{"sale", {{"price", Kind::kInteger}, {"ends_at", Kind::kTime}}}},
                    .ends_at = "ends_at"}};
}

Put State(std::int64_t version, std::string status) {
  return {.facet = 0, .version = version, .values = {std::move(status)}};
}

// The rows of one projection in one Redis, for a tenant of the test's own.
class Rows {
 public:
  Rows(const std::string& url, Projection projection, RedisSinkSettings settings = {})
      : client_(*redis::Client::Create({.url = url, .retry_after = absl::Milliseconds(50)})),
        projection_(std::move(projection)),
        sink_(*client_, settings),
        rows_(*client_, projection_, settings) {}

  absl::Status Apply(
      const std::vector<std::pair<std::vector<Value>, std::variant<Put, Remove, Add>>>& changes) {
    Batch batch;
    for (const auto& [key, what] : changes)
      batch.changes.push_back({{"topic", 0}, 0, {context_.tenant, key, what}});
    return sink_.Apply(projection_, batch);
  }
  absl::StatusOr<std::optional<Row>> Find(std::vector<Value> key) {
    return loop_.Run(rows_.Find(std::move(key), context_));
  }
  std::vector<Row> All(Value first) {
    absl::StatusOr<std::vector<Row>> rows = loop_.Run(rows_.FindAll(std::move(first), context_));
    EXPECT_TRUE(rows.ok()) << rows.status();
    return rows.ok() ? *std::move(rows) : std::vector<Row>();
  }
  // The status of an order, or why there is none.
  std::string Status(const std::string& order) {
    const absl::StatusOr<std::optional<Row>> row = Find({order});
    if (!row.ok()) return ErrorReason(row.status());
    if (!*row || (*row)->facets[0].values.empty()) return "unknown";
    return std::get<std::string>((*row)->facets[0].values[0]);
  }
  std::string Filled(const std::string& order, Put put) {
    const absl::Status filled = loop_.Run(rows_.Fill({order}, std::move(put), context_));
    return filled.ok() ? Status(order) : ErrorReason(filled);
  }
  std::int64_t LifeMillis(const std::string& first) {
    redis::Batch batch;
    batch.Add({"PTTL", Concat(projection_.name, ":", context_.tenant.str(), ":", first)});
    const absl::StatusOr<redis::Replies> replies =
        client_->ExecuteBlocking(std::move(batch), absl::InfiniteFuture());
    return replies.ok() ? replies->front().integer : -3;
  }
  RedisRows& rows() { return rows_; }
  redis::Client& client() { return *client_; }
  const RequestContext& context() const { return context_; }

 private:
  const std::unique_ptr<redis::Client> client_;
  const Projection projection_;
  const RequestContext context_ = testing::ContextOf(Concat("t-", UuidToString(NewUuid())));
  RedisSink sink_;
  RedisRows rows_;
  testing::Loop loop_;
};

std::string Url() {
  return testing::Environment("BV_REDIS_URL");
}

TEST(RedisSinkTest, KeepsTheHighestVersionOfEachFacet) {
  Rows orders(Url(), Orders());
  const absl::Time paid_at = absl::FromUnixMicros(1'700'000'000'000'001);
  ASSERT_TRUE(orders
                  .Apply({{{std::string("o")}, State(1, "PENDING")},
                          {{std::string("o")}, Put{1, 2, {std::int64_t{500}, paid_at}}},
                          {{std::string("o")}, State(3, "PAID")},
                          {{std::string("o")}, State(2, "late")},
                          {{std::string("o")}, State(3, "again")}})
                  .ok());
  const absl::StatusOr<std::optional<Row>> row = orders.Find({std::string("o")});
  ASSERT_TRUE(row.ok() && row->has_value()) << row.status();
  EXPECT_EQ((*row)->facets[0], (FacetState{3, {std::string("PAID")}}));
  EXPECT_EQ((*row)->facets[1], (FacetState{2, {std::int64_t{500}, paid_at}}));
}

TEST(RedisSinkTest, ARemovalHoldsAgainstWhatComesLate) {
  Rows orders(Url(), Orders());
  ASSERT_TRUE(orders.Apply({{{std::string("o")}, State(2, "PAID")}, {{std::string("o")}, Remove{4}}}).ok());
  EXPECT_EQ(orders.Status("o"), "unknown");
  ASSERT_TRUE(
      orders.Apply({{{std::string("o")}, State(3, "late")}, {{std::string("o")}, State(2, "PAID")}}).ok());
  EXPECT_EQ(orders.Status("o"), "unknown");
  ASSERT_TRUE(orders.Apply({{{std::string("o")}, State(5, "back")}, {{std::string("o")}, Remove{4}}}).ok());
  EXPECT_EQ(orders.Status("o"), "back");
  // It came before anything was known of the row.
  ASSERT_TRUE(orders.Apply({{{std::string("p")}, Remove{3}}, {{std::string("p")}, State(1, "late")}}).ok());
  EXPECT_EQ(orders.Status("p"), "unknown");
}

TEST(RedisSinkTest, RemovedRowsAreForgottenSoonAndOthersLater) {
  Rows orders(Url(), Orders(), {.row_ttl = absl::Hours(2), .removal_ttl = absl::Minutes(1)});
  ASSERT_TRUE(orders.Apply({{{std::string("o")}, State(1, "PAID")}}).ok());
  EXPECT_GT(orders.LifeMillis("o"), 7'000'000);
  EXPECT_LE(orders.LifeMillis("o"), 7'200'000);
  ASSERT_TRUE(orders.Apply({{{std::string("o")}, Remove{2}}}).ok());
  EXPECT_GT(orders.LifeMillis("o"), 0);
  EXPECT_LE(orders.LifeMillis("o"), 60'000);
  ASSERT_TRUE(orders.Apply({{{std::string("o")}, State(3, "back")}}).ok());
  EXPECT_GT(orders.LifeMillis("o"), 7'000'000);
}

TEST(RedisSinkTest, AnyOrderAndAnyRepeatsGiveTheSameRow) {
  std::mt19937 random(20261121);
  const std::string order = "o";
  // The order's last word is version 7; another row's is a removal.
  std::vector<std::pair<std::vector<Value>, std::variant<Put, Remove, Add>>> changes;
  for (std::int64_t version = 1; version <= 7; ++version) {
    changes.push_back({{order}, State(version, std::to_string(version))});
    changes.push_back({{std::string("gone")}, State(version, "there")});
  }
  changes.push_back({{order}, Remove{5}});
  changes.push_back({{std::string("gone")}, Remove{8}});
  for (int round = 0; round < 30; ++round) {
    Rows orders(Url(), Orders());
    auto mixed = changes;
    mixed.insert(mixed.end(), changes.begin(),
                 changes.begin() + static_cast<long>(random() % changes.size()));
    std::shuffle(mixed.begin(), mixed.end(), random);
    ASSERT_TRUE(orders.Apply(mixed).ok());
    EXPECT_EQ(orders.Status(order), "7");
    EXPECT_EQ(orders.Status("gone"), "unknown");
  }
}

TEST(RedisSinkTest, RowsThatEndAreNotShownAfterwardsAndGoWithTheLastOne) {
  Rows sales(Url(), Sales());
  const auto sale = [](absl::Duration left) {
    return Put{0, 1, {std::int64_t{900}, absl::FromUnixMicros(absl::ToUnixMicros(absl::Now() + left))}};
  };
  const std::string product = "prd_1";
  ASSERT_TRUE(sales
                  .Apply({{{product, std::string("long")}, sale(absl::Hours(2))},
                          {{product, std::string("short")}, sale(absl::Hours(1))},
                          {{product, std::string("over")}, sale(-absl::Seconds(1))}})
                  .ok());
  EXPECT_GT(sales.LifeMillis(product), 7'100'000);
  EXPECT_LE(sales.LifeMillis(product), 7'200'000);
  const std::vector<Row> rows = sales.All(product);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].key, (std::vector<Value>{product, std::string("long")}));
  EXPECT_EQ(rows[1].key, (std::vector<Value>{product, std::string("short")}));
  ASSERT_TRUE(sales.Apply({{{product, std::string("long")}, Remove{2}}}).ok());
  EXPECT_EQ(sales.All(product).size(), 1u);
  // A late repeat of its beginning.
  ASSERT_TRUE(sales.Apply({{{product, std::string("long")}, sale(absl::Hours(2))}}).ok());
  EXPECT_EQ(sales.All(product).size(), 1u);
}

TEST(RedisSinkTest, RedisForgetsARowAtItsEnd) {
  Rows sales(Url(), Sales());
  const Put soon{0, 1, {std::int64_t{900}, absl::Now() + absl::Milliseconds(30)}};
  ASSERT_TRUE(sales.Apply({{{std::string("prd_1"), std::string("s")}, soon}}).ok());
  const absl::Time end = MonotonicNow() + absl::Seconds(10);
  while (sales.LifeMillis("prd_1") != -2 && MonotonicNow() < end) std::this_thread::yield();
  EXPECT_EQ(sales.LifeMillis("prd_1"), -2) << "it is still there";
}

TEST(RedisSinkTest, RefusesSums) {
  Projection sums = Orders();
  sums.shape.sums = {"count"};
  Rows rows(Url(), sums);
  EXPECT_TRUE(absl::IsInvalidArgument(rows.Apply({{{std::string("o")}, Add{{1}}}})));
}

TEST(RedisSinkTest, IsUnavailableWithoutRedisAndAppliesTheSameBatchAfterwards) {
  testing::RedisServer server;
  Rows orders(server.url(), Orders());
  ASSERT_TRUE(orders.Apply({{{std::string("o")}, State(1, "PENDING")}}).ok());
  server.Kill();
  EXPECT_TRUE(absl::IsUnavailable(orders.Apply({{{std::string("o")}, State(2, "PAID")}})));
  EXPECT_EQ(orders.Status("o"), "REDIS_UNAVAILABLE");
  server.Start();
  const absl::Time end = MonotonicNow() + absl::Seconds(10);
  absl::Status applied = absl::UnknownError("not tried");
  while (!applied.ok() && MonotonicNow() < end)
    applied = orders.Apply({{{std::string("o")}, State(2, "PAID")}});
  ASSERT_TRUE(applied.ok()) << applied;
  EXPECT_EQ(orders.Status("o"), "PAID");
}

TEST(RedisSinkTest, AFullRedisForgetsRatherThanShowsWhatIsOld) {
  testing::RedisServer server;
  Rows orders(server.url(), Orders());
  ASSERT_TRUE(orders
                  .Apply({{{std::string("old")}, State(1, "PENDING")},
                          {{std::string("new")}, State(5, "PAID")},
                          {{std::string("gone")}, State(1, "PENDING")}})
                  .ok());
  redis::Batch full;
  full.Add({"CONFIG", "SET", "maxmemory", "1"});
  ASSERT_TRUE(orders.client().ExecuteBlocking(std::move(full), absl::InfiniteFuture()).ok());
  const absl::Status applied = orders.Apply({{{std::string("old")}, State(2, "PAID")},
                                             {{std::string("new")}, State(4, "late")},
                                             {{std::string("unknown")}, State(1, "PENDING")},
                                             {{std::string("gone")}, Remove{2}}});
  EXPECT_TRUE(applied.ok()) << applied;
  EXPECT_EQ(orders.Status("old"), "unknown");
  EXPECT_EQ(orders.Status("new"), "PAID");
  EXPECT_EQ(orders.Status("gone"), "unknown");
  EXPECT_EQ(orders.LifeMillis("unknown"), -2) << "nothing is added to a full Redis";
}

TEST(RedisRowsTest, AnOldFillDoesNotComeBackAfterARemoval) {
  Rows orders(Url(), Orders());
  ASSERT_TRUE(orders.Apply({{{std::string("o")}, Remove{5}}}).ok());
  EXPECT_EQ(orders.Filled("o", State(4, "old")), "unknown");
  EXPECT_EQ(orders.Filled("o", State(5, "of that version")), "of that version");
  EXPECT_EQ(orders.Filled("o", State(4, "old")), "of that version");
  // The event once more, and a late one.
  ASSERT_TRUE(orders.Apply({{{std::string("o")}, Remove{5}}, {{std::string("o")}, Remove{3}}}).ok());
  EXPECT_EQ(orders.Status("o"), "of that version");
}

TEST(RedisRowsTest, NeverShowsAnythingOlderThanItHasShown) {
  testing::RedisServer server;
  Rows orders(server.url(), Orders());
  ASSERT_TRUE(orders.Apply({{{std::string("o")}, State(5, "PAID")}}).ok());
  EXPECT_EQ(orders.Status("o"), "PAID");
  server.Kill();
  server.Start();
  EXPECT_EQ(orders.Status("o"), "unknown") << "emptied";
  // Somebody brings back what was there long ago.
  ASSERT_TRUE(orders.Apply({{{std::string("o")}, State(4, "old")}}).ok());
  EXPECT_EQ(orders.Status("o"), "unknown");
  ASSERT_TRUE(orders.Apply({{{std::string("o")}, State(5, "PAID")}}).ok());
  EXPECT_EQ(orders.Status("o"), "PAID");
}

TEST(RedisRowsTest, NeverShowsAnythingOlderThanTheOwnerHas) {
  Rows orders(Url(), Orders());
  ASSERT_TRUE(orders.Apply({{{std::string("o")}, State(5, "PENDING")}}).ok());
  orders.rows().OwnerAnswered(orders.context().tenant, {std::string("o")}, 6);
  EXPECT_EQ(orders.Status("o"), "unknown");
  orders.rows().OwnerAnswered(TenantId::Trusted("another"), {std::string("o")}, 9);
  ASSERT_TRUE(orders
                  .Apply({{{std::string("o")}, Put{1, 6, {std::int64_t{5}, absl::UnixEpoch()}}},
                          {{std::string("o")}, State(6, "PAID")}})
                  .ok());
  EXPECT_EQ(orders.Status("o"), "PAID");
}

TEST(RedisRowsTest, TenantsAreApart) {
  Rows ours(Url(), Orders());
  Rows theirs(Url(), Orders());
  ASSERT_TRUE(ours.Apply({{{std::string("o")}, State(1, "PAID")}}).ok());
  EXPECT_EQ(ours.Status("o"), "PAID");
  EXPECT_EQ(theirs.Status("o"), "unknown");
}

}  // namespace
}  // namespace bv::projections
