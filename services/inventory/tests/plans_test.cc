// How much of its tables the service reads when its statements were planned on tables with hardly a row,
// which is when a scan looks as good to the planner as a look-up.
#include "services/inventory/tests/stock_fixture.h"

namespace bv::inventory {
namespace {

constexpr int kSkus = 200;
// What is done with each SKU here, and the rows that each of it may read of a table.
constexpr int kSteps = 7;
constexpr int kRowsMax = 4;

class PlansTest : public StockFixture {
 protected:
  // Submits a command for each SKU, one by one: a batch would share the rows of a scan.
  void SubmitAll(int first, int count, const std::function<Command(const std::string&)>& command_of) {
    for (int i = first; i < first + count; ++i) {
      const std::string sku = "SKU-" + std::to_string(i);
      const absl::StatusOr<Outcome> outcome =
          Start(*lanes_, sku, command_of(sku), testing::ContextOf("acme")).get();
      ASSERT_TRUE(outcome.ok()) << outcome.status();
    }
  }
  // Every statement of the lanes.
  void LiveAll(int first, int count) {
    SubmitAll(first, count, [](const std::string& sku) {
      return AdjustOf(sku, 10, "MAIN", AdjustmentId::New(), "RECEIVED");
    });
    SubmitAll(first, count, [](const std::string& sku) { return ReserveOf("r-" + sku, {Of(sku, 2)}); });
    SubmitAll(first, count, [](const std::string& sku) { return CommitCommand{"r-" + sku}; });
    SubmitAll(first, count, [](const std::string& sku) {
      ShipCommand ship{.reservation_id = "r-" + sku, .shipment_id = "s-" + sku, .lines = {Of(sku, 1)}};
      return ship;
    });
    // Of a cart, and once more with another quantity.
    const auto hold = [](std::int64_t qty) {
      return [qty](const std::string& sku) {
        HoldCommand command{.reservation_id = "h-" + sku, .cart_id = "c-" + sku};
        command.sku = SkuCode::Trusted(sku);
        command.qty = qty;
        command.hold = absl::Minutes(15);
        command.item_version = qty;
        return command;
      };
    };
    SubmitAll(first, count, hold(1));
    SubmitAll(first, count, hold(2));
    SubmitAll(first, count, [](const std::string& sku) { return ReleaseCommand{"h-" + sku}; });
  }
  void ExpectLookUpsOnly() {
    lanes_.reset();
    EXPECT_EQ(database_.TablesReadTooMuch("inventory", kSkus * kSteps * kRowsMax), "");
  }
};

TEST_F(PlansTest, FewRowsAtFirstAndNoScansOfMany) {
  LiveAll(0, 1);
  database_.Query("ANALYZE");
  // Every statement is planned before there are many.
  LiveAll(1, 1);
  LiveAll(2, kSkus);
  ExpectLookUpsOnly();
}

TEST_F(PlansTest, NoRowsAtFirstAndNoScansOfMany) {
  database_.Query("ANALYZE");
  LiveAll(0, 1);
  LiveAll(1, kSkus);
  ExpectLookUpsOnly();
}

}  // namespace
}  // namespace bv::inventory
