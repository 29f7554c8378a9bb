// The price history is one chain for each variant, whoever writes and however they try.
#include <pqxx/pqxx>

#include "libs/base/strings.h"
#include "services/product/tests/product_fixture.h"

namespace bv::product {
namespace {

class PriceHistoryTest : public ProductTest {
 protected:
  void SetUp() override {
    ProductTest::SetUp();
    product_ = Stored({"TENT-1"});
    ASSERT_TRUE(Update(PriceChange(product_, "TENT-1", 900)).ok());
    ASSERT_TRUE(Update(PriceChange(product_, "TENT-1", 800)).ok());
    ASSERT_EQ(Chain(), "1000 900 800");
  }

  // The prices in their order, if the rows are a chain that begins with the variant and ends open.
  std::string Chain() const {
    return Query(R"sql(
      SELECT CASE WHEN bool_and(gap IS NOT TRUE) AND count(*) FILTER (WHERE valid_to IS NULL) = 1 AND min(valid_from) = min(created_at)
                  THEN string_agg(price::text, ' ' ORDER BY valid_from) ELSE 'broken' END
      FROM (SELECT h.*, v.created_at, h.valid_to <> lead(h.valid_from) OVER (ORDER BY h.valid_from) AS gap
            FROM product.product_price_history h JOIN product.variant v USING (tenant_id, variant_id)
            WHERE h.tenant_id = $T) AS rows
    )sql");
  }

  // The name of what refused these statements, in one transaction as the schema's owner; "" when they were
  // committed.
  std::string Refusal(const std::string& statements) const {
    try {
      pqxx::connection connection(postgres::ConnectionUri(database().Connection()));
      pqxx::work transaction(connection);
      transaction.exec(Concat("SET LOCAL bv.tenants = '", tenant(), "'"));
      transaction.exec(statements);
      transaction.commit();
      return "";
    } catch (const pqxx::sql_error& error) {
      const std::string text = error.what();
      for (const char* name : {"price_has_successor", "price_end_unique", "price_ends_later",
                               "product_price_history_pkey", "variant_has_price", "is not changed"}) {
        if (text.find(name) != std::string::npos) return name;
      }
      return text;
    }
  }

  pb::Product product_;
};

constexpr char kInsert[] =
    "INSERT INTO product_price_history (tenant_id, variant_id, price, currency, valid_from, valid_to) ";

TEST_F(PriceHistoryTest, ASamePriceWritesNoRow) {
  ASSERT_TRUE(Update(PriceChange(product_, "TENT-1", 800)).ok());
  EXPECT_EQ(Chain(), "1000 900 800");
}

TEST_F(PriceHistoryTest, ASecondCurrentRowIsRefused) {
  EXPECT_EQ(Refusal(Concat(kInsert,
                           "SELECT tenant_id, variant_id, 1, 'USD', valid_from + interval '1 day', NULL "
                           "FROM product_price_history WHERE valid_to IS NULL")),
            "price_end_unique");
  EXPECT_EQ(Chain(), "1000 900 800");
}

TEST_F(PriceHistoryTest, AGapIsRefused) {
  // Closed, and nothing follows.
  EXPECT_EQ(
      Refusal(
          "UPDATE product_price_history SET valid_to = valid_from + interval '1 day' WHERE valid_to IS NULL"),
      "price_has_successor");
  // Closed, and the next begins later.
  EXPECT_EQ(
      Refusal(Concat("UPDATE product_price_history SET valid_to = valid_from + interval '1 day' WHERE "
                     "valid_to IS NULL; ",
                     kInsert,
                     "SELECT tenant_id, variant_id, 1, 'USD', max(valid_to) + interval '1 second', NULL "
                     "FROM product_price_history GROUP BY 1, 2")),
      "price_has_successor");
  // Before the first.
  EXPECT_EQ(Refusal(Concat(kInsert,
                           "SELECT tenant_id, variant_id, 1, 'USD', min(valid_from) - interval '2 days', "
                           "min(valid_from) - interval '1 day' FROM product_price_history GROUP BY 1, 2")),
            "price_has_successor");
  EXPECT_EQ(Chain(), "1000 900 800");
}

TEST_F(PriceHistoryTest, AnOverlapIsRefused) {
  // Inside the first row, with its end.
  EXPECT_EQ(Refusal(Concat(
                kInsert,
                "SELECT tenant_id, variant_id, 1, 'USD', valid_from + interval '1 microsecond', valid_to "
                "FROM product_price_history ORDER BY valid_from LIMIT 1")),
            "price_end_unique");
  // From the first row's beginning.
  EXPECT_EQ(Refusal(Concat(
                kInsert,
                "SELECT tenant_id, variant_id, 1, 'USD', min(valid_from), max(valid_from) + interval '1 day' "
                "FROM product_price_history GROUP BY 1, 2")),
            "product_price_history_pkey");
  // From before the first row to the current one, over all between.
  EXPECT_EQ(Refusal(Concat(
                kInsert,
                "SELECT tenant_id, variant_id, 1, 'USD', min(valid_from) - interval '1 day', max(valid_from) "
                "FROM product_price_history GROUP BY 1, 2")),
            "price_end_unique");
  EXPECT_EQ(Chain(), "1000 900 800");
}

TEST_F(PriceHistoryTest, ARowEndsAfterItBegins) {
  for (const char* end : {"valid_from", "valid_from - interval '1 microsecond'", "'-infinity'"}) {
    EXPECT_EQ(Refusal(Concat("UPDATE product_price_history SET valid_to = ", end, " WHERE valid_to IS NULL")),
              "price_ends_later");
  }
  EXPECT_EQ(Chain(), "1000 900 800");
}

TEST_F(PriceHistoryTest, WhatWasStays) {
  EXPECT_EQ(Refusal("UPDATE product_price_history SET price = 1 WHERE valid_to IS NULL"), "is not changed");
  EXPECT_EQ(Refusal("UPDATE product_price_history SET valid_from = valid_from - interval '1 day' WHERE "
                    "valid_to IS NULL"),
            "is not changed");
  EXPECT_EQ(Refusal("UPDATE product_price_history SET currency = 'EUR' WHERE price = 1000"),
            "is not changed");
  EXPECT_EQ(Refusal("UPDATE product_price_history SET valid_to = NULL WHERE price = 1000"), "is not changed");
  EXPECT_EQ(Refusal("DELETE FROM product_price_history WHERE price = 1000"), "variant_has_price");
  EXPECT_EQ(Refusal("DELETE FROM product_price_history WHERE price = 900"), "price_has_successor");
  EXPECT_EQ(Refusal("DELETE FROM product_price_history WHERE price = 800"), "price_has_successor");
  EXPECT_EQ(Refusal("DELETE FROM product_price_history"), "variant_has_price");
  EXPECT_EQ(Chain(), "1000 900 800");
}

TEST_F(PriceHistoryTest, AVariantHasAPrice) {
  EXPECT_EQ(
      Refusal(
          "INSERT INTO variant (tenant_id, variant_id, product_id, position, sku, fulfillment_type, status, "
          "created_at) "
          "SELECT tenant_id, 'var_x', product_id, 7, 'NO-PRICE', 'PHYSICAL', 'ACTIVE', now() FROM product"),
      "variant_has_price");
}

TEST_F(PriceHistoryTest, AProperSuccessorIsTaken) {
  EXPECT_EQ(Refusal(Concat("UPDATE product_price_history SET valid_to = valid_from + interval '1 day' WHERE "
                           "valid_to IS NULL; ",
                           kInsert,
                           "SELECT tenant_id, variant_id, 700, 'USD', max(valid_to), NULL FROM "
                           "product_price_history GROUP BY 1, 2")),
            "");
  EXPECT_EQ(Chain(), "1000 900 800 700");
}

TEST_F(PriceHistoryTest, ChangesAtOnceMakeOneChain) {
  const auto results =
      AtOnce(16, [&](int i) { return Update(PriceChange(product_, "TENT-1", 2000 + i)).status(); });
  for (const absl::Status& status : results) EXPECT_TRUE(status.ok()) << status;
  EXPECT_NE(Chain(), "broken");
  EXPECT_EQ(Query("SELECT count(*) FROM product.product_price_history WHERE tenant_id = $T"), "19");
  EXPECT_EQ(Query("SELECT count(DISTINCT aggregate_version) FROM outbox.event WHERE tenant_id = $T"
                  " AND aggregatetype = 'ecommerce.product.product'"),
            "19");
  // The events are numbered in the order of the versions.
  EXPECT_EQ(Query("SELECT bool_and(aggregate_version = n) FROM "
                  "(SELECT aggregate_version, row_number() OVER (ORDER BY seq) AS n FROM outbox.event WHERE "
                  "tenant_id = $T AND aggregatetype = 'ecommerce.product.product') AS e"),
            "t");
}

}  // namespace
}  // namespace bv::product
