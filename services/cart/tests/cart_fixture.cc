#include "services/cart/tests/cart_fixture.h"

#include <absl/strings/str_replace.h>

#include <atomic>

#include "libs/base/strings.h"

namespace bv::cart {

std::unique_ptr<CartTest::Parts> CartTest::parts_;

void CartTest::SetUpTestSuite() {
  parts_ = std::make_unique<Parts>();
  catalogue().Sell("A", 1000);
  catalogue().Sell("B", 250);
  catalogue().Sell("C", 1);
  catalogue().Sell("YEN", 500, "JPY");
}

void CartTest::TearDownTestSuite() {
  parts_.reset();
}

void CartTest::SetUp() {
  static std::atomic<int> counter{0};
  tenant_ = Concat("tenant-", counter.fetch_add(1));
}

absl::StatusOr<pb::Cart> CartTest::Create(const RequestContext& context, const std::string& session) {
  pb::CreateCartRequest request;
  request.set_session_id(session);
  return Call(&CartRpc::CreateCart, request, context);
}

absl::StatusOr<pb::Cart> CartTest::Get(const RequestContext& context, const std::string& cart_id,
                                       const std::string& session) {
  pb::GetCartRequest request;
  request.set_cart_id(cart_id);
  request.set_session_id(session);
  return Call(&CartRpc::GetCart, request, context);
}

absl::StatusOr<pb::Cart> CartTest::Set(const RequestContext& context, const std::string& cart_id,
                                       const std::string& sku, std::int64_t qty, const std::string& session) {
  pb::SetItemRequest request;
  request.set_cart_id(cart_id);
  request.set_sku(sku);
  request.set_qty(qty);
  request.set_session_id(session);
  return Call(&CartRpc::SetItem, request, context);
}

absl::StatusOr<pb::Cart> CartTest::Remove(const RequestContext& context, const std::string& cart_id,
                                          const std::string& sku, const std::string& session) {
  pb::RemoveItemRequest request;
  request.set_cart_id(cart_id);
  request.set_sku(sku);
  request.set_session_id(session);
  return Call(&CartRpc::RemoveItem, request, context);
}

absl::StatusOr<pb::Cart> CartTest::Merge(const RequestContext& context, const std::string& session) {
  pb::MergeCartRequest request;
  request.set_session_id(session);
  return Call(&CartRpc::MergeCart, request, context);
}

std::string CartTest::CartWith(const RequestContext& context, const std::vector<std::string>& skus,
                               const std::string& session) {
  const absl::StatusOr<pb::Cart> cart = Create(context, session);
  EXPECT_TRUE(cart.ok()) << cart.status();
  if (!cart.ok()) return "";
  for (const std::string& sku : skus) {
    const absl::Status set = Set(context, cart->cart_id(), sku, 1, session).status();
    EXPECT_TRUE(set.ok()) << set;
  }
  return cart->cart_id();
}

std::string CartTest::Query(std::string sql) const {
  return database().Query(absl::StrReplaceAll(sql, {{"$T", Concat("'", tenant_, "'")}}));
}

void CartTest::Expire(const std::string& cart_id) const {
  Query(Concat("UPDATE cart.cart SET expires_at = now() WHERE tenant_id = $T AND cart_id = '", cart_id, "'"));
}

std::string ItemsOf(const absl::StatusOr<pb::Cart>& cart) {
  if (!cart.ok()) return cart.status().ToString();
  std::string items;
  for (const pb::CartItem& item : cart->items()) {
    items += Concat(items.empty() ? "" : ", ", item.sku(), " ", item.qty());
  }
  return items;
}

}  // namespace bv::cart
