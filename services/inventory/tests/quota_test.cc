// What may be sold on a condition: taken and given back with the goods, and no goods.
#include "libs/base/strings.h"
#include "services/inventory/tests/stock_fixture.h"

namespace bv::inventory {
namespace {

constexpr char kQuota[] = "quota:spring";

class QuotaTest : public StockFixture {
 protected:
  QuotaTest() {
    EXPECT_TRUE(Adjust("TENT", 10).ok());
    AdjustCommand quota{.adjustment_id = AdjustmentId::New(),
                        .user_id = "product-service",
                        .sku = SkuCode::Trusted(kQuota),
                        .location = LocationCode::Trusted("MAIN"),
                        .delta = 3,
                        .reason = ReasonCode::Trusted("FLASH_SALE")};
    EXPECT_TRUE(Do(quota).ok());
  }

  absl::StatusOr<Outcome> Do(Command command) {
    return Start(*lanes_, "key", std::move(command), testing::ContextOf("acme")).get();
  }
  absl::StatusOr<Outcome> ReserveBoth(const std::string& id, std::int64_t qty,
                                      absl::Duration hold = absl::Minutes(15)) {
    ReserveCommand command{
        .reservation_id = id, .user_id = "user-1", .lines = {Of("TENT", qty), Of(kQuota, qty)}, .hold = hold};
    return Do(std::move(command));
  }
  absl::StatusOr<Outcome> Ship(const std::string& id, const std::string& shipment, std::int64_t qty) {
    ShipCommand command{.reservation_id = id, .shipment_id = shipment, .lines = {Of("TENT", qty)}};
    return Do(std::move(command));
  }
  // Of the quota, each as "reason: available, on hand/reserved, version".
  std::string QuotaEvents() const {
    return database_.Query(R"sql(
      SELECT string_agg(format('%s: %s, %s/%s, v%s', p->>'reason', p->>'available', p->>'onHand', p->>'reserved', p->>'version'), '; ' ORDER BY seq)
      FROM outbox.event, LATERAL (SELECT payload::json->'payload') AS e (p)
      WHERE aggregatetype = 'ecommerce.inventory.quota' AND aggregateid = 'quota:spring' AND aggregate_version = (p->>'version')::bigint)sql");
  }
  // Events that name the quota and are not its own.
  std::string OtherMentions() const {
    return database_.Query(
        "SELECT count(*) FROM outbox.event WHERE aggregatetype <> 'ecommerce.inventory.quota' AND payload "
        "LIKE "
        "'%quota:%'");
  }
};

TEST_F(QuotaTest, IsTakenWithTheGoodsOrNothingIs) {
  ASSERT_TRUE(ReserveBoth("r-1", 2).ok());
  EXPECT_EQ(Stock(kQuota), "MAIN 3/2 v2");
  const absl::Status refused = ReserveBoth("r-2", 2).status();
  EXPECT_EQ(ErrorReason(refused), "OUT_OF_STOCK");
  EXPECT_EQ(GetErrorDetail(refused).field, "lines[1].qty");
  EXPECT_EQ(Stock("TENT"), "MAIN 10/2 v2");
  ASSERT_TRUE(ReserveBoth("r-2", 1).ok());
  EXPECT_EQ(QuotaEvents(), "FLASH_SALE: 3, 3/0, v1; RESERVED: 1, 3/2, v2; RESERVED: 0, 3/3, v3");
  EXPECT_EQ(OtherMentions(), "0");
  EXPECT_EQ(LedgerGaps(), "0");
  EXPECT_EQ(HeldGaps(), "0");
}

TEST_F(QuotaTest, ComesBackWithWhatIsReleasedAlsoAfterItsCommit) {
  ASSERT_TRUE(ReserveBoth("r-1", 3).ok());
  ASSERT_TRUE(Do(CommitCommand{"r-1"}).ok());
  EXPECT_EQ(Stock(kQuota), "MAIN 3/3 v2");
  ASSERT_TRUE(Release("r-1").ok());
  EXPECT_EQ(Stock(kQuota), "MAIN 3/0 v3");
  EXPECT_EQ(Stock("TENT"), "MAIN 10/0 v3");
  EXPECT_EQ(LedgerGaps(), "0");
}

TEST_F(QuotaTest, ComesBackWithWhatExpiresAndIsNoLineOfThatNews) {
  ASSERT_TRUE(ReserveBoth("r-1", 2, -absl::Seconds(1)).ok());
  ExpireCommand expire{.reservation_id = "r-1", .sku = SkuCode::Trusted(kQuota)};
  ASSERT_TRUE(Do(expire).ok());
  EXPECT_EQ(Stock(kQuota), "MAIN 3/0 v3");
  EXPECT_EQ(
      database_.Query("SELECT payload::json->'payload'->'lines' FROM outbox.event WHERE aggregatetype = "
                      "'ecommerce.inventory.reservation'"),
      R"([{"sku":"TENT","locationCode":"MAIN","qty":2}])");
  EXPECT_EQ(OtherMentions(), "0");
}

TEST_F(QuotaTest, IsUsedUpByTheLastShipment) {
  ASSERT_TRUE(ReserveBoth("r-1", 2).ok());
  ASSERT_TRUE(Do(CommitCommand{"r-1"}).ok());
  ASSERT_TRUE(Ship("r-1", "s-1", 1).ok());
  EXPECT_EQ(Stock(kQuota), "MAIN 3/2 v2");
  for (int i = 0; i < 2; ++i) {
    const auto last = Ship("r-1", "s-2", 1);
    ASSERT_TRUE(last.ok()) << last.status();
    EXPECT_EQ(last->reservation.state, ReservationState::kShipped);
    ASSERT_EQ(last->reservation.allocations.size(), 1u) << "it has shipped goods";
    EXPECT_EQ(last->reservation.allocations.front().sku.str(), "TENT");
  }
  EXPECT_EQ(Stock(kQuota), "MAIN 1/0 v3");
  EXPECT_EQ(Stock("TENT"), "MAIN 8/0 v4");
  ASSERT_TRUE(ReserveBoth("r-2", 1).ok());
  EXPECT_EQ(ErrorReason(ReserveBoth("r-3", 1).status()), "OUT_OF_STOCK");
  EXPECT_EQ(LedgerGaps(), "0");
}

TEST_F(QuotaTest, NobodyGetsMoreThanThereIsWhoeverComesAtOnce) {
  std::vector<Answer> answers;
  for (int i = 0; i < 60; ++i) {
    const std::string id = Concat("r-", i);
    ReserveCommand command{.reservation_id = id,
                           .user_id = "user-1",
                           .lines = {Of("TENT", 1), Of(kQuota, 1)},
                           .hold = absl::Minutes(15)};
    // In both lanes.
    answers.push_back(Start(*lanes_, id, std::move(command), testing::ContextOf("acme")));
  }
  int taken = 0;
  for (Answer& answer : answers) taken += answer.get().ok() ? 1 : 0;
  EXPECT_EQ(taken, 3);
  EXPECT_EQ(
      database_.Query(
          "SELECT on_hand || '/' || reserved FROM inventory.inventory_stock WHERE sku = 'quota:spring'"),
      "3/3");
  EXPECT_EQ(LedgerGaps(), "0");
  EXPECT_EQ(HeldGaps(), "0");
}

}  // namespace
}  // namespace bv::inventory
