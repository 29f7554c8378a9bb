// Making, reading and filling carts.
#include "libs/base/id.h"
#include "libs/base/strings.h"
#include "services/cart/tests/cart_fixture.h"

namespace bv::cart {
namespace {

class ItemsTest : public CartTest {};

TEST_F(ItemsTest, AUserHasOneCart) {
  const auto cart = Create(As("ada"));
  ASSERT_TRUE(cart.ok()) << cart.status();
  EXPECT_EQ(cart->user_id(), "ada");
  EXPECT_EQ(cart->items_size(), 0);
  EXPECT_EQ(cart->currency(), "");
  EXPECT_EQ(Create(As("ada"))->cart_id(), cart->cart_id());
  EXPECT_NE(Create(As("bob"))->cart_id(), cart->cart_id());
}

TEST_F(ItemsTest, ASessionHasOneCart) {
  const auto cart = Create(As("ada"), kSecret);
  ASSERT_TRUE(cart.ok()) << cart.status();
  EXPECT_EQ(cart->user_id(), "");
  EXPECT_EQ(Create(As("bob"), kSecret)->cart_id(), cart->cart_id());
  EXPECT_NE(Create(As("ada"))->cart_id(), cart->cart_id());
}

TEST_F(ItemsTest, CreatedAtOnceItIsStillOne) {
  const auto carts =
      AtOnce(8, [&](int i) { return i % 2 == 0 ? Create(As("ada")) : Create(As("ada"), kSecret); });
  for (std::size_t i = 0; i < carts.size(); ++i) {
    ASSERT_TRUE(carts[i].ok()) << carts[i].status();
    EXPECT_EQ(carts[i]->cart_id(), carts[i % 2]->cart_id());
  }
  EXPECT_EQ(Query("SELECT count(*) FROM cart.cart WHERE tenant_id = $T"), "2");
}

TEST_F(ItemsTest, TheSecretIsNotStored) {
  CartWith(As("ada"), {"A"}, kSecret);
  EXPECT_EQ(Query(Concat("SELECT count(*) FROM cart.cart c WHERE c::text LIKE '%", kSecret, "%'")), "0");
  EXPECT_EQ(Query(Concat("SELECT session_hash = encode(sha256('", kSecret,
                         "'), 'hex') FROM cart.cart WHERE tenant_id = $T")),
            "t");
}

TEST_F(ItemsTest, AnothersCartIsNotFound) {
  const std::string user_cart = CartWith(As("ada"), {"A"});
  const std::string session_cart = CartWith(As("ada"), {"A"}, kSecret);
  const auto expect_not_found = [](const absl::StatusOr<pb::Cart>& cart) {
    EXPECT_EQ(cart.status().code(), absl::StatusCode::kNotFound) << cart.status();
    EXPECT_EQ(ErrorReason(cart.status()), "CART_NOT_FOUND");
  };
  for (const std::string& session : {std::string(), std::string("another-secret-0123456789")}) {
    expect_not_found(Get(As("bob"), user_cart, session));
    expect_not_found(Set(As("bob"), user_cart, "A", 2, session));
    expect_not_found(Remove(As("bob"), user_cart, "A", session));
    expect_not_found(Get(As("ada"), session_cart, session));
    expect_not_found(Get(As("eve", Role::kAdmin), session_cart, session));
    expect_not_found(Set(As("ada"), session_cart, "A", 2, session));
    expect_not_found(Remove(As("ada"), session_cart, "A", session));
  }
  for (const Role role : {Role::kStaff, Role::kAdmin, Role::kService}) {
    EXPECT_EQ(ItemsOf(Get(As("eve", role), user_cart)), "A 1");
    expect_not_found(Set(As("eve", role), user_cart, "A", 2));
  }
  for (const std::string& id :
       {std::string(), std::string("crt_"), CartId::New().str(), std::string("'; DROP TABLE cart; --"),
        std::string(100'000, 'x'), ProductId::New().str()}) {
    expect_not_found(Get(As("ada"), id));
    expect_not_found(Set(As("ada"), id, "A", 1));
  }
  EXPECT_EQ(ItemsOf(Get(As("ada"), user_cart)), "A 1");
  EXPECT_EQ(ItemsOf(Get(As("bob"), session_cart, kSecret)), "A 1");
}

TEST_F(ItemsTest, ItemsAreSetAndRemoved) {
  const std::string id = CartWith(As("ada"), {"B", "A"});
  EXPECT_EQ(ItemsOf(Set(As("ada"), id, "B", 7)), "B 7, A 1");
  EXPECT_EQ(ItemsOf(Set(As("ada"), id, "C", 10'000)), "B 7, A 1, C 10000");
  EXPECT_EQ(ItemsOf(Remove(As("ada"), id, "A")), "B 7, C 10000");
  EXPECT_EQ(ItemsOf(Remove(As("ada"), id, "A")), "B 7, C 10000");
  EXPECT_EQ(ItemsOf(Set(As("ada"), id, "B", 0)), "C 10000");
  EXPECT_EQ(ItemsOf(Get(As("ada"), id)), "C 10000");
}

TEST_F(ItemsTest, ACartIsPricedByTheCatalogue) {
  const std::string id = CartWith(As("ada"), {"A", "YEN", "B"});
  const auto cart = Set(As("ada"), id, "A", 3);
  ASSERT_TRUE(cart.ok()) << cart.status();
  EXPECT_EQ(cart->total_amount(), 3250);
  EXPECT_EQ(cart->currency(), "USD");
  const pb::CartItem& item = cart->items(0);
  EXPECT_EQ(item.product_id(), "prd_of_A");
  EXPECT_EQ(item.title(), "Title of A");
  EXPECT_EQ(item.price(), 1000);
  EXPECT_EQ(item.amount(), 3000);
  EXPECT_EQ(item.currency(), "USD");
  EXPECT_FALSE(item.unavailable());
  EXPECT_EQ(cart->items(1).amount(), 500);
  EXPECT_EQ(cart->items(1).currency(), "JPY");
}

TEST_F(ItemsTest, WhatIsNoLongerSoldIsUnavailable) {
  catalogue().Sell("ENDS", 100);
  catalogue().Sell("VANISHES", 100);
  const std::string id = CartWith(As("ada"), {"ENDS", "VANISHES", "A"});
  catalogue().Archive("ENDS");
  catalogue().Forget("VANISHES");
  const auto cart = Get(As("ada"), id);
  ASSERT_TRUE(cart.ok()) << cart.status();
  EXPECT_EQ(cart->total_amount(), 1000);
  EXPECT_TRUE(cart->items(0).unavailable());
  EXPECT_EQ(cart->items(0).title(), "Title of ENDS");
  EXPECT_TRUE(cart->items(1).unavailable());
  EXPECT_EQ(cart->items(1).sku(), "VANISHES");
  EXPECT_FALSE(cart->items(2).unavailable());
  // It cannot be wanted, but put back.
  for (const char* sku : {"ENDS", "VANISHES", "NEVER-WAS"}) {
    const absl::Status refused = Set(As("ada"), id, sku, 2).status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(ErrorReason(refused), "ITEM_NOT_SOLD");
    EXPECT_EQ(FieldOfError(refused), "sku");
  }
  EXPECT_TRUE(Set(As("ada"), id, "ENDS", 0).ok());
  EXPECT_EQ(ItemsOf(Remove(As("ada"), id, "VANISHES")), "A 1");
}

TEST_F(ItemsTest, ACartHasAtMostAHundredItems) {
  const auto cart = Create(As("ada"));
  ASSERT_TRUE(cart.ok());
  for (int i = 0; i < 100; ++i) {
    catalogue().Sell(Concat("S-", i), 1);
    ASSERT_TRUE(Set(As("ada"), cart->cart_id(), Concat("S-", i), 1).ok());
  }
  const absl::Status refused = Set(As("ada"), cart->cart_id(), "A", 1).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ErrorReason(refused), "CART_FULL");
  EXPECT_TRUE(Set(As("ada"), cart->cart_id(), "S-0", 2).ok());
  EXPECT_EQ(Get(As("ada"), cart->cart_id())->total_amount(), 101);
}

TEST_F(ItemsTest, ItemsSetAtOnceAreAllThere) {
  const std::string id = CartWith(As("ada"), {});
  for (int i = 0; i < 12; ++i) catalogue().Sell(Concat("P-", i), 1);
  const auto results = AtOnce(12, [&](int i) { return Set(As("ada"), id, Concat("P-", i), i + 1).status(); });
  for (const absl::Status& status : results) EXPECT_TRUE(status.ok()) << status;
  const auto cart = Get(As("ada"), id);
  EXPECT_EQ(cart->items_size(), 12);
  EXPECT_EQ(cart->total_amount(), 78);
}

TEST_F(ItemsTest, BadInputNamesItsField) {
  const std::string id = CartWith(As("ada"), {"A"});
  const auto field = [](const absl::StatusOr<pb::Cart>& cart) {
    EXPECT_EQ(cart.status().code(), absl::StatusCode::kInvalidArgument) << cart.status();
    return FieldOfError(cart.status());
  };
  EXPECT_EQ(field(Set(As("ada"), id, "A", -1)), "qty");
  EXPECT_EQ(field(Set(As("ada"), id, "A", 10'001)), "qty");
  EXPECT_EQ(field(Set(As("ada"), id, "A", INT64_MIN)), "qty");
  for (const std::string& sku : {std::string(), std::string("a b"), std::string("A\0", 2),
                                 std::string("\xff"), std::string("\"},{\""), std::string(65, 'A')}) {
    EXPECT_EQ(field(Set(As("ada"), id, sku, 1)), "sku");
    EXPECT_EQ(field(Remove(As("ada"), id, sku)), "sku");
  }
  for (const std::string& session :
       {std::string("short"), std::string(129, 'a'), std::string("0123456789abcde\0", 16),
        std::string("0123456789abcde\xff")}) {
    EXPECT_EQ(field(Create(As("ada"), session)), "sessionId");
    EXPECT_EQ(field(Get(As("ada"), id, session)), "sessionId");
    EXPECT_EQ(field(Set(As("ada"), id, "A", 1, session)), "sessionId");
    EXPECT_EQ(field(Remove(As("ada"), id, "A", session)), "sessionId");
    EXPECT_EQ(field(Merge(As("ada"), session)), "sessionId");
  }
  EXPECT_EQ(field(Merge(As("ada"), "")), "sessionId");
  EXPECT_EQ(ItemsOf(Get(As("ada"), id)), "A 1");
}

TEST_F(ItemsTest, WithoutTheCatalogueACartHasNoPrice) {
  const std::string id = CartWith(As("ada"), {"A"});
  // Nothing listens on port 1.
  Catalogue away("127.0.0.1:1", rpc::PeerSettings{.connections = 1, .timeout = absl::Seconds(1)});
  CartRpc rpc(pool(), away, CartRules{.ttl = absl::Hours(1)});
  pb::GetCartRequest get;
  get.set_cart_id(id);
  const RequestContext context = As("ada");
  const auto cart = loop().Run(rpc.GetCart(rpc::Call<pb::GetCartRequest>(get, context)));
  EXPECT_EQ(cart.status().code(), absl::StatusCode::kUnavailable) << cart.status();
  // An empty cart needs none.
  pb::CreateCartRequest create;
  const RequestContext other = As("bob");
  EXPECT_TRUE(loop().Run(rpc.CreateCart(rpc::Call<pb::CreateCartRequest>(create, other))).ok());
}

}  // namespace
}  // namespace bv::cart
