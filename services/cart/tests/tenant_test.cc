// Two tenants: neither sees nor changes what is the other's, by the API or by SQL.
#include <pqxx/pqxx>

#include "libs/base/strings.h"
#include "services/cart/tests/cart_fixture.h"

namespace bv::cart {
namespace {

class TenantTest : public CartTest {
 protected:
  void SetUp() override {
    CartTest::SetUp();
    user_cart_ = CartWith(As("ada"), {"A"});
    session_cart_ = CartWith(As("ada"), {"A"}, kSecret);
  }

  std::string user_cart_;
  std::string session_cart_;
};

TEST_F(TenantTest, TheApiShowsNothingOfAnother) {
  for (const Role role : {Role::kCustomer, Role::kAdmin, Role::kService}) {
    const RequestContext stranger = testing::ContextOf(tenant() + "-other", "ada", role);
    EXPECT_EQ(ErrorReason(Get(stranger, user_cart_).status()), "CART_NOT_FOUND");
    EXPECT_EQ(ErrorReason(Get(stranger, session_cart_, kSecret).status()), "CART_NOT_FOUND");
    EXPECT_EQ(ErrorReason(Set(stranger, user_cart_, "B", 1).status()), "CART_NOT_FOUND");
    EXPECT_EQ(ErrorReason(Remove(stranger, session_cart_, "A", kSecret).status()), "CART_NOT_FOUND");
    EXPECT_EQ(ItemsOf(Merge(stranger, kSecret)), "");
    EXPECT_NE(Create(stranger)->cart_id(), user_cart_);
    EXPECT_NE(Create(stranger, kSecret)->cart_id(), session_cart_);
  }
  EXPECT_EQ(ItemsOf(Get(As("ada"), user_cart_)), "A 1");
  EXPECT_EQ(ItemsOf(Get(As("ada"), session_cart_, kSecret)), "A 1");
}

TEST_F(TenantTest, RowLevelSecurityHoldsForSqlOfTheOwner) {
  pqxx::connection connection(postgres::ConnectionUri(database().Connection()));
  pqxx::nontransaction session(connection);
  EXPECT_EQ(session.exec("SELECT current_user")[0][0].as<std::string>(), "bv_cart");
  const auto expect_nothing = [&] {
    for (const char* table : {"cart", "cart_item"}) {
      const std::string mine = Concat(" WHERE tenant_id = '", tenant(), "'");
      EXPECT_EQ(session.exec(Concat("SELECT count(*) FROM ", table, mine))[0][0].as<int>(), 0) << table;
      EXPECT_EQ(session.exec(Concat("UPDATE ", table, " SET tenant_id = tenant_id", mine)).affected_rows(),
                0u)
          << table;
      EXPECT_EQ(session.exec(Concat("DELETE FROM ", table, mine)).affected_rows(), 0u) << table;
    }
  };
  expect_nothing();
  session.exec(Concat("SET bv.tenants = '", tenant(), "-other'"));
  expect_nothing();
  EXPECT_THROW(session.exec(Concat("INSERT INTO cart (tenant_id, cart_id, user_id, expires_at) VALUES ('",
                                   tenant(), "', 'crt_x', 'eve', now())")),
               pqxx::insufficient_privilege);
  session.exec(Concat("SET bv.tenants = '", tenant(), "'"));
  EXPECT_EQ(session.exec("SELECT count(*) FROM cart")[0][0].as<int>(), 2);
}

}  // namespace
}  // namespace bv::cart
