// How much of its tables a change of a product reads when its statements were planned on tables without rows,
// which is when a scan looks as good to the planner as a look-up.
#include "libs/base/strings.h"
#include "services/product/tests/product_fixture.h"

namespace bv::product {
namespace {

constexpr int kProducts = 300;
// The rows that a change may read of a table; a product here has one variant.
constexpr int kRowsMax = 8;

class PlansTest : public ProductTest {
 protected:
  static std::string IdOf(int i) {
    return Concat("prd_", std::string(26 - std::to_string(i).size(), '0'), i);
  }
  // Products with a variant each.
  void Store(int first, int last) const {
    // As a replica: without look-ups by foreign keys, whose plans are not those of a change.
    Query(Concat(R"sql(
      SET session_replication_role = replica;
      CREATE TEMP TABLE new AS SELECT $T AS tenant, 'prd_' || lpad(i::text, 26, '0') AS product,
        'var_' || lpad(i::text, 26, '0') AS variant, 'SKU-' || i AS sku, now() AS at FROM generate_series()sql",
                 first, ", ", last, R"sql() AS i;
      INSERT INTO product.product (tenant_id, product_id, title, description, status, created_at, updated_at)
      SELECT tenant, product, 'Tent', '', 'ACTIVE', at, at FROM new;
      INSERT INTO product.variant (tenant_id, variant_id, product_id, position, sku, fulfillment_type, status, created_at)
      SELECT tenant, variant, product, 0, sku, 'PHYSICAL', 'ACTIVE', at FROM new;
      INSERT INTO product.product_price_history (tenant_id, variant_id, valid_from, price, currency)
      SELECT tenant, variant, at, 1000, 'USD' FROM new)sql"));
  }
  void ChangeAll(int first, int last) {
    for (int i = first; i <= last; ++i) {
      pb::UpdateProductRequest request;
      request.set_product_id(IdOf(i));
      pb::VariantChange* change = request.add_variants();
      change->set_sku(Concat("SKU-", i));
      change->set_compare_at_price(1500);
      const RequestContext context = Staff();
      const absl::Status status =
          loop_.Run(rpc_.UpdateProduct(rpc::Call<pb::UpdateProductRequest>(request, context))).status();
      ASSERT_TRUE(status.ok()) << status;
    }
  }

  // With plans that use indexes only, so that a scan is the statement's fault, and not that of few rows.
  postgres::Pool pool_{database().Connection(), postgres::PoolSettings{.size = 1, .queue_max = 1},
                       postgres::Plans::kIndexOnly};
  ProductRpc rpc_{pool_};
  testing::Loop loop_;
};

TEST_F(PlansTest, WhatAChangeReadsDoesNotGrowWithTheCatalogue) {
  database().Query("ANALYZE");
  // Every statement is planned and run before there are many.
  Store(0, 0);
  ChangeAll(0, 0);
  Store(1, kProducts);
  ChangeAll(1, kProducts);
  pool_.Stop();
  EXPECT_EQ(database().TablesReadTooMuch("product", kProducts * kRowsMax), "");
}

}  // namespace
}  // namespace bv::product
