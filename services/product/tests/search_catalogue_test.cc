// A catalogue of 10,000 products beside another tenant's as large: how much a search reads, and how long it
// takes.
#include <algorithm>
#include <chrono>
#include <iostream>

#include "libs/base/strings.h"
#include "services/product/tests/search_fixture.h"

namespace bv::product {
namespace {

constexpr int kProducts = 10'000;
constexpr int kSearches = 300;
// The rows that a search for one product may read of a table.
constexpr int kRowsMax = 8;

class CatalogueTest : public SearchTest {
 protected:
  // As a replica: without look-ups by foreign keys, whose scans would count, and made searchable afterwards.
  void Fill(const std::string& of_tenant, const std::string& first_letter) const {
    database().Query(Concat(R"sql(
      SET session_replication_role = replica;
      SET search_path = product;
      CREATE TEMP TABLE new AS
        SELECT ')sql",
                            of_tenant, "' AS tenant, 'prd_", first_letter,
                            R"sql(' || lpad(i::text, 25, '0') AS product,
               'var_' || lpad(i::text, 26, '0') AS variant, 'SKU-' || i AS sku, now() AS at, i
        FROM generate_series(0, )sql",
                            kProducts - 1, R"sql() AS i;
      INSERT INTO category (tenant_id, code, parent, name, position, updated_at)
      SELECT DISTINCT tenant, 'top-' || i % 10, NULL::text, 'Top', i % 10, at FROM new WHERE i < 100
      UNION ALL SELECT tenant, 'sub-' || i, 'top-' || i % 10, 'Sub', i, at FROM new WHERE i < 100;
      INSERT INTO product (tenant_id, product_id, title, description, status, attributes, created_at, updated_at)
      SELECT tenant, product, concat_ws(' ', 'Outdoor', (ARRAY['tent', 'stove', 'boots', 'axe'])[1 + i % 4], 'model', 'm' || i),
             repeat('Light, sturdy and made to last. ', 8), 'ACTIVE',
             ARRAY['color:' || (ARRAY['red', 'blue', 'green'])[1 + i % 3], 'size:' || i % 7], at, at
      FROM new;
      INSERT INTO product_category (tenant_id, product_id, category) SELECT tenant, product, 'sub-' || i % 100 FROM new;
      INSERT INTO variant (tenant_id, variant_id, product_id, position, sku, fulfillment_type, status, created_at)
      SELECT tenant, variant, product, 0, sku, 'PHYSICAL', 'ACTIVE', at FROM new;
      INSERT INTO product_price_history (tenant_id, variant_id, valid_from, price, currency)
      SELECT tenant, variant, at, 100 + i * 7 % 50000, 'USD' FROM new;
      SELECT count(make_searchable(tenant, product)) FROM new)sql"));
  }
  void FillBoth() const {
    Fill(tenant(), "0");
    Fill(tenant() + "-other", "1");
  }
};

TEST_F(CatalogueTest, WhatASelectiveSearchReadsDoesNotGrowWithTheCatalogue) {
  FillBoth();
  database().Query("SELECT pg_stat_reset()");
  for (int i = 0; i < kSearches; ++i) {
    const int number = 100 + i * 4;
    pb::SearchProductsRequest request = By(Concat("tent m", number, " "));
    request.set_category(Concat("sub-", number % 100));
    request.set_currency("USD");
    request.set_facets(true);
    const auto found = Find(request);
    ASSERT_TRUE(found.ok()) << found.status();
    ASSERT_EQ(found->products_size(), 1) << i;
  }
  pool_.Stop();
  search_.Stop();
  EXPECT_EQ(database().TablesReadTooMuch("product", kSearches * kRowsMax), "");
}

TEST_F(CatalogueTest, SearchesTakeABoundedTime) {
  FillBoth();
  database().Query("ANALYZE product.product_search");
  const std::vector<std::string> texts = {"tent",   "outdoor", "blue boots", "m1",   "stove m77",
                                          "sturdy", "o",       "",           "-tent"};
  std::vector<double> took_ms;
  for (int i = 0; i < kSearches; ++i) {
    pb::SearchProductsRequest request = By(texts[static_cast<std::size_t>(i) % texts.size()]);
    request.set_facets(i % 2 == 0);
    if (i % 3 == 0) request.set_currency("USD");
    if (i % 5 == 0) request.set_category("top-" + std::to_string(i % 10));
    const auto begin = std::chrono::steady_clock::now();
    const auto found = Find(request);
    took_ms.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
    ASSERT_TRUE(found.ok()) << found.status();
  }
  std::ranges::sort(took_ms);
  std::cout << "searches over " << kProducts << " products: p50 " << took_ms[kSearches / 2] << " ms, p99 "
            << took_ms[kSearches * 99 / 100] << " ms, slowest " << took_ms.back() << " ms\n";
  EXPECT_LT(took_ms[kSearches / 2], 1'000);
}

}  // namespace
}  // namespace bv::product
