// Two tenants: neither sees nor changes what is the other's, by the API or by SQL.
#include <pqxx/pqxx>

#include "libs/base/strings.h"
#include "services/product/tests/product_fixture.h"

namespace bv::product {
namespace {

class TenantTest : public ProductTest {
 protected:
  void SetUp() override {
    ProductTest::SetUp();
    product_ = Stored({"TENT-1"}, "secret");
    stranger_ = testing::ContextOf(tenant() + "-other", "mallory", Role::kAdmin);
  }

  pb::Product product_;
  RequestContext stranger_;
};

TEST_F(TenantTest, TheApiShowsNothingOfAnother) {
  pb::GetProductRequest get;
  get.set_product_id(product_.product_id());
  EXPECT_EQ(ErrorReason(Call(&ProductRpc::GetProduct, get, stranger_).status()), "PRODUCT_NOT_FOUND");

  pb::UpdateProductRequest update = PriceChange(product_, "TENT-1", 1);
  EXPECT_EQ(ErrorReason(Call(&ProductRpc::UpdateProduct, update, stranger_).status()), "PRODUCT_NOT_FOUND");
  EXPECT_EQ(Get(product_.product_id())->variants(0).price(), 1000);

  pb::ListProductsRequest list;
  EXPECT_EQ(Call(&ProductRpc::ListProducts, list, stranger_)->products_size(), 0);
  list.set_sku("TENT-1");
  EXPECT_EQ(Call(&ProductRpc::ListProducts, list, stranger_)->products_size(), 0);

  pb::ResolveVariantsRequest resolve;
  resolve.add_variants()->set_sku("TENT-1");
  resolve.add_variants()->set_product_id(product_.product_id());
  const auto resolved = Call(&ProductRpc::ResolveVariants, resolve, stranger_);
  ASSERT_TRUE(resolved.ok());
  for (const auto& variant : resolved->variants())
    EXPECT_EQ(variant.outcome(), pb::ResolvedVariant::OUTCOME_NOT_FOUND);
}

TEST_F(TenantTest, ASkuIsUniqueInItsTenantOnly) {
  EXPECT_TRUE(Call(&ProductRpc::CreateProduct, NewProduct({"TENT-1"}), stranger_).ok());
  EXPECT_EQ(
      Query(
          "SELECT count(*) FROM product.variant WHERE sku = 'TENT-1' AND tenant_id IN ($T, $T || '-other')"),
      "2");
}

TEST_F(TenantTest, RowLevelSecurityHoldsForSqlOfTheOwner) {
  pqxx::connection connection(postgres::ConnectionUri(database().Connection()));
  pqxx::nontransaction session(connection);
  EXPECT_EQ(session.exec("SELECT current_user")[0][0].as<std::string>(), "bv_product");
  const auto expect_nothing = [&] {
    for (const char* table : {"product", "variant", "product_price_history"}) {
      const std::string mine = Concat(" WHERE tenant_id = '", tenant(), "'");
      EXPECT_EQ(session.exec(Concat("SELECT count(*) FROM ", table, mine))[0][0].as<int>(), 0) << table;
      EXPECT_EQ(session.exec(Concat("UPDATE ", table, " SET tenant_id = tenant_id", mine)).affected_rows(),
                0u)
          << table;
      EXPECT_EQ(session.exec(Concat("DELETE FROM ", table, mine)).affected_rows(), 0u) << table;
    }
  };
  expect_nothing();
  session.exec(Concat("SET bv.tenants = '", stranger_.tenant.str(), "'"));
  expect_nothing();
  EXPECT_THROW(
      session.exec(Concat(
          "INSERT INTO product (tenant_id, product_id, title, description, status, created_at, updated_at) "
          "VALUES ('",
          tenant(), "', 'prd_x', 't', 'd', 'ACTIVE', now(), now())")),
      pqxx::insufficient_privilege);
  session.exec(Concat("SET bv.tenants = '", tenant(), "'"));
  EXPECT_EQ(session.exec("SELECT count(*) FROM product")[0][0].as<int>(), 1);
  EXPECT_THROW(session.exec(Concat("UPDATE product SET tenant_id = '", stranger_.tenant.str(), "'")),
               pqxx::sql_error);
}

}  // namespace
}  // namespace bv::product
