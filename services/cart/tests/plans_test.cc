// How much of its tables the service reads for inventory's answers when its statements were planned on tables
// without rows, which is when a scan looks as good to the planner as a look-up.
#include "libs/base/strings.h"
#include "services/cart/store/hold_rows.h"
#include "services/cart/tests/cart_fixture.h"

namespace bv::cart {
namespace {

constexpr int kCarts = 300;
constexpr int kAnswersAtOnce = 20;
// The rows that an answer may read of a table.
constexpr int kRowsMax = 4;

class PlansTest : public CartTest {
 protected:
  static CartId CartOf(int i) { return CartId::Trusted(Concat("cart-", i)); }
  // Carts with one item each, that wait for the answer.
  void StoreCarts(int first, int last) const {
    // As a replica: without a look-up by a foreign key, whose plan would not be the service's.
    const std::string carts = Concat(" FROM generate_series(", first, ", ", last, ") AS i;");
    Query(Concat(
        "SET session_replication_role = replica;",
        "INSERT INTO cart.cart (tenant_id, cart_id, user_id, expires_at) "
        "SELECT $T, 'cart-' || i, 'user-' || i, now() + interval '1 hour'",
        carts,
        "INSERT INTO cart.cart_item (tenant_id, cart_id, sku, qty, added_at, item_version, hold_status) "
        "SELECT $T, 'cart-' || i, 'A', 1, now(), 1, 'REQUESTED'",
        carts));
  }
  AnswerForItem HeldIn(const CartId& cart) const {
    AnswerForItem answer{TenantId::Trusted(tenant()), cart, SkuCode::Trusted("A"), {.item_version = 1}};
    answer.answer.qty = 1;
    answer.answer.until = absl::Now() + absl::Minutes(15);
    return answer;
  }
  void Store(postgres::Session& session, int first, int last) {
    std::vector<AnswerForItem> answers;
    for (int i = first; i <= last; ++i) answers.push_back(HeldIn(CartOf(i)));
    const absl::Status status = session.Transact({TenantId::Trusted(tenant())}, [&](postgres::Session& s) {
      StoreAnswers(s, answers);
      return absl::OkStatus();
    });
    ASSERT_TRUE(status.ok()) << status;
  }
};

TEST_F(PlansTest, WhatAnAnswerReadsDoesNotGrowWithTheCarts) {
  database().Query("ANALYZE");
  {
    // As the consumer of the answers has it.
    postgres::Session session(database().Connection(), postgres::Plans::kIndexOnly);
    // Every statement is planned and run before there are many.
    StoreCarts(0, 0);
    Store(session, 0, 0);
    StoreCarts(1, kCarts);
    for (int first = 1; first <= kCarts; first += kAnswersAtOnce)
      Store(session, first, first + kAnswersAtOnce - 1);
  }
  EXPECT_EQ(database().TablesReadTooMuch("cart", kCarts * kRowsMax), "");
  EXPECT_EQ(Query("SELECT count(*) FROM cart.cart_item WHERE hold_status = 'HELD'"),
            std::to_string(kCarts + 1));
}

}  // namespace
}  // namespace bv::cart
