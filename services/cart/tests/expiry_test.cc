// Expired carts are gone at once for everybody, and deleted in time.
#include "libs/base/strings.h"
#include "services/cart/expiry/sweeper.h"
#include "services/cart/tests/cart_fixture.h"

namespace bv::cart {
namespace {

class ExpiryTest : public CartTest {
 protected:
  absl::StatusOr<std::int64_t> Sweep(int batch) {
    Sweeper sweeper(loop().io(), pool(), {.interval = absl::Hours(1), .batch = batch});
    return loop().Run(sweeper.Sweep());
  }
  std::string Carts() const { return Query("SELECT count(*) FROM cart.cart WHERE tenant_id = $T"); }
};

std::int64_t MicrosOf(const google::protobuf::Timestamp& time) {
  return time.seconds() * 1'000'000 + time.nanos() / 1000;
}

TEST_F(ExpiryTest, AChangeMovesTheExpiryAndAReadDoesNot) {
  const auto cart = Create(As("ada"));
  ASSERT_TRUE(cart.ok());
  EXPECT_EQ(MicrosOf(cart->expires_at()) - MicrosOf(cart->updated_at()),
            absl::ToInt64Microseconds(absl::Hours(1)));
  const auto changed = Set(As("ada"), cart->cart_id(), "A", 1);
  EXPECT_GT(MicrosOf(changed->expires_at()), MicrosOf(cart->expires_at()));
  const auto read = Get(As("ada"), cart->cart_id());
  EXPECT_EQ(MicrosOf(read->expires_at()), MicrosOf(changed->expires_at()));
  // Nothing new is no change.
  EXPECT_EQ(MicrosOf(Set(As("ada"), cart->cart_id(), "A", 1)->expires_at()), MicrosOf(changed->expires_at()));
}

TEST_F(ExpiryTest, AnExpiredCartIsNotFoundAndANewOneIsMade) {
  const std::string user_cart = CartWith(As("ada"), {"A"});
  const std::string session_cart = CartWith(As("ada"), {"A"}, kSecret);
  Expire(user_cart);
  Expire(session_cart);
  EXPECT_EQ(ErrorReason(Get(As("ada"), user_cart).status()), "CART_NOT_FOUND");
  EXPECT_EQ(ErrorReason(Get(As("eve", Role::kStaff), user_cart).status()), "CART_NOT_FOUND");
  EXPECT_EQ(ErrorReason(Set(As("ada"), user_cart, "B", 1).status()), "CART_NOT_FOUND");
  EXPECT_EQ(ErrorReason(Remove(As("ada"), user_cart, "A").status()), "CART_NOT_FOUND");
  EXPECT_EQ(ErrorReason(Get(As("ada"), session_cart, kSecret).status()), "CART_NOT_FOUND");
  EXPECT_EQ(ItemsOf(Merge(As("ada"), kSecret)), "");
  const auto fresh = Create(As("ada"));
  ASSERT_TRUE(fresh.ok()) << fresh.status();
  EXPECT_NE(fresh->cart_id(), user_cart);
  EXPECT_NE(Create(As("ada"), kSecret)->cart_id(), session_cart);
}

TEST_F(ExpiryTest, ANewCartIsMadeOnceWhereAnOldOneExpired) {
  for (int round = 0; round < 5; ++round) {
    Expire(CartWith(As("ada"), {"A"}));
    const auto carts = AtOnce(6, [&](int) { return Create(As("ada")); });
    for (const auto& cart : carts) {
      ASSERT_TRUE(cart.ok()) << cart.status();
      EXPECT_EQ(cart->cart_id(), carts[0]->cart_id());
    }
  }
}

TEST_F(ExpiryTest, TheSweepDeletesWhatIsExpiredInBatches) {
  std::vector<std::string> expired;
  for (int i = 0; i < 7; ++i) expired.push_back(CartWith(As(Concat("user-", i)), {"A", "B"}));
  const std::string kept = CartWith(As("ada"), {"A"});
  for (const std::string& id : expired) Expire(id);
  const auto deleted = Sweep(3);
  ASSERT_TRUE(deleted.ok()) << deleted.status();
  EXPECT_GE(*deleted, 7);
  EXPECT_EQ(Carts(), "1");
  EXPECT_EQ(Query("SELECT count(*) FROM cart.cart_item WHERE tenant_id = $T"), "1");
  EXPECT_EQ(ItemsOf(Get(As("ada"), kept)), "A 1");
  EXPECT_EQ(*Sweep(3), 0);
}

TEST_F(ExpiryTest, TheSweepReachesEveryTenant) {
  constexpr int kTenants = 12;
  for (int i = 0; i < kTenants; ++i) {
    const RequestContext context = testing::ContextOf(Concat("sweep-", i), "ada");
    ASSERT_TRUE(Create(context).ok());
  }
  Query("UPDATE cart.cart SET expires_at = now() WHERE tenant_id LIKE 'sweep-%'");
  const auto deleted = Sweep(500);
  ASSERT_TRUE(deleted.ok()) << deleted.status();
  EXPECT_EQ(Query("SELECT count(*) FROM cart.cart WHERE tenant_id LIKE 'sweep-%'"), "0");
}

TEST_F(ExpiryTest, TheSweepRunsByItselfUntilItIsStopped) {
  Expire(CartWith(As("ada"), {"A"}));
  Sweeper sweeper(loop().io(), pool(), {.interval = absl::Milliseconds(100), .batch = 10});
  sweeper.Start();
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (Carts() != "0" && absl::Now() < deadline) std::this_thread::yield();
  EXPECT_EQ(Carts(), "0");
  sweeper.Stop();
}

}  // namespace
}  // namespace bv::cart
