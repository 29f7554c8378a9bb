// The stock of products: all their SKUs at all locations by one statement.
#include "libs/base/strings.h"
#include "services/inventory/tests/stock_fixture.h"

namespace bv::inventory {
namespace {

constexpr int kSkus = 200;
// A look-up each, and some of the index's neighbours.
constexpr int kRowsMax = 4;

class ShelvesTest : public StockFixture {
 protected:
  // The fixture makes a product for each SKU.
  static ProductId ProductOf(const std::string& sku) { return ProductId::DerivedFrom({sku}); }
  // "SKU at MAIN 10, SKU at WEST 3" of each shelf.
  std::vector<std::string> Read(const std::vector<ProductId>& products, const std::string& tenant = "acme") {
    using Texts = std::vector<std::string>;
    std::function<absl::StatusOr<Texts>(postgres::Session&)> read = [&](postgres::Session& session) {
      Texts texts;
      for (const auto& [sku, shelf] : ReadShelves(session, TenantId::Trusted(tenant), products)) {
        std::string text = sku.str();
        for (const Place& place : shelf.places)
          text += Concat(" ", place.location.str(), " ", place.available());
        texts.push_back(text);
      }
      return absl::StatusOr<Texts>(texts);
    };
    absl::StatusOr<Texts> texts = loop_.Run(pool_.Read<Texts>(testing::ContextOf(tenant), std::move(read)));
    EXPECT_TRUE(texts.ok()) << texts.status();
    return texts.ok() ? *texts : Texts();
  }

  postgres::Pool pool_{database_.Connection(), postgres::PoolSettings{.size = 1, .queue_max = 1},
                       postgres::Plans::kIndexOnly};
};

TEST_F(ShelvesTest, EverySkuOfTheProductsWithItsLocations) {
  ASSERT_TRUE(Adjust("TENT", 10).ok());
  ASSERT_TRUE(Adjust("TENT", 3, "WEST").ok());
  ASSERT_TRUE(Adjust("STOVE", 5).ok());
  ASSERT_TRUE(Adjust("LAMP", 1).ok());
  ASSERT_TRUE(Reserve("r-1", {Of("STOVE", 2)}).ok());
  EXPECT_THAT(Read({ProductOf("TENT"), ProductOf("STOVE"), ProductOf("UNKNOWN"), ProductOf("TENT")}),
              ::testing::UnorderedElementsAre("TENT MAIN 10 WEST 3", "STOVE MAIN 3"));
  EXPECT_THAT(Read({ProductOf("UNKNOWN")}), ::testing::IsEmpty());
}

TEST_F(ShelvesTest, AnotherTenantHasItsOwn) {
  ASSERT_TRUE(Adjust("TENT", 10).ok());
  EXPECT_THAT(Read({ProductOf("TENT")}, "stranger"), ::testing::IsEmpty());
}

TEST_F(ShelvesTest, WhatIsReadDoesNotGrowWithTheHouse) {
  ASSERT_TRUE(Adjust("SKU-0", 1).ok());
  Read({ProductOf("SKU-0")});
  for (int i = 1; i < kSkus; ++i) ASSERT_TRUE(Adjust(Concat("SKU-", i), 1).ok());
  for (int i = 0; i < kSkus; ++i) EXPECT_EQ(Read({ProductOf(Concat("SKU-", i))}).size(), 1U);
  pool_.Stop();
  lanes_.reset();
  // The adjustments read, too.
  EXPECT_EQ(database_.TablesReadTooMuch("inventory", kSkus * 2 * kRowsMax), "");
}

}  // namespace
}  // namespace bv::inventory
