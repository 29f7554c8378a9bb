#include "services/cart/rpc/cart_rpc.h"

#include "libs/base/crash_point.h"
#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "services/cart/rpc/convert.h"
#include "services/cart/store/cart_rows.h"
#include "services/cart/store/change_cart.h"

namespace bv::cart {

void CartRpc::Serve(rpc::Server& server) {
  const std::string_view service = "commerce.cart.v1.Carts";
  server.Handle(service, "CreateCart", *this, &CartRpc::CreateCart);
  server.Handle(service, "GetCart", *this, &CartRpc::GetCart);
  server.Handle(service, "SetItem", *this, &CartRpc::SetItem);
  server.Handle(service, "RemoveItem", *this, &CartRpc::RemoveItem);
  server.Handle(service, "MergeCart", *this, &CartRpc::MergeCart);
}

rpc::Reply<pb::Cart> CartRpc::CreateCart(rpc::Call<pb::CreateCartRequest> call) {
  const RequestContext& context = call.context();
  CO_ASSIGN_OR_RETURN(const Caller caller, CallerOf(context, call.request().session_id()));
  const Owner owner = OwnerOf(caller);
  Work open = [&](postgres::Session& session) {
    return OpenCart(session, context.tenant, owner, rules_.ttl);
  };
  CO_ASSIGN_OR_RETURN(Cart cart, co_await pool_.Transact<Cart>(context, std::move(open)));
  co_return co_await Show(std::move(cart), context);
}

rpc::Reply<pb::Cart> CartRpc::GetCart(rpc::Call<pb::GetCartRequest> call) {
  const RequestContext& context = call.context();
  CO_ASSIGN_OR_RETURN(const Caller caller, CallerOf(context, call.request().session_id()));
  const absl::StatusOr<CartId> id = CartId::Parse(call.request().cart_id());
  if (!id.ok()) co_return CartNotFound();
  Work read = [&](postgres::Session& session) -> absl::StatusOr<Cart> {
    std::optional<Cart> cart = ReadCart(session, context.tenant, *id);
    if (!cart || !MayRead(*cart, caller)) return CartNotFound();
    return *std::move(cart);
  };
  CO_ASSIGN_OR_RETURN(Cart cart, co_await pool_.Read<Cart>(context, std::move(read)));
  co_return co_await Show(std::move(cart), context);
}

rpc::Reply<pb::Cart> CartRpc::SetItem(rpc::Call<pb::SetItemRequest> call) {
  const pb::SetItemRequest& request = call.request();
  CO_ASSIGN_OR_RETURN(Caller caller, CallerOf(call.context(), request.session_id()));
  Item item{.qty = request.qty()};
  CO_ASSIGN_OR_RETURN(item.sku, SkuCode::Parse(request.sku()));
  CO_RETURN_IF_ERROR(CheckQuantity(item.qty));
  if (item.qty > 0) CO_RETURN_IF_ERROR(co_await CheckSold(item.sku, call.context()));
  CO_ASSIGN_OR_RETURN(Cart cart,
                      co_await Change(request.cart_id(), std::move(caller), std::move(item), call.context()));
  co_return co_await Show(std::move(cart), call.context());
}

rpc::Reply<pb::Cart> CartRpc::RemoveItem(rpc::Call<pb::RemoveItemRequest> call) {
  const pb::RemoveItemRequest& request = call.request();
  CO_ASSIGN_OR_RETURN(Caller caller, CallerOf(call.context(), request.session_id()));
  Item item{.qty = 0};
  CO_ASSIGN_OR_RETURN(item.sku, SkuCode::Parse(request.sku()));
  CO_ASSIGN_OR_RETURN(Cart cart,
                      co_await Change(request.cart_id(), std::move(caller), std::move(item), call.context()));
  co_return co_await Show(std::move(cart), call.context());
}

rpc::Reply<pb::Cart> CartRpc::MergeCart(rpc::Call<pb::MergeCartRequest> call) {
  const RequestContext& context = call.context();
  CO_ASSIGN_OR_RETURN(const SessionId secret, SessionId::Parse(call.request().session_id()));
  const std::string session_hash = HashOf(secret);
  Work merge = [&](postgres::Session& session) { return MergeCarts(session, context, session_hash, rules_); };
  CO_ASSIGN_OR_RETURN(Cart cart, co_await pool_.Transact<Cart>(context, std::move(merge)));
  CrashPoint("cart.merge.stored");
  co_return co_await Show(std::move(cart), context);
}

async::Task<absl::Status> CartRpc::CheckSold(SkuCode sku, const RequestContext& context) {
  std::vector<SkuCode> skus{sku};
  CO_ASSIGN_OR_RETURN(const Offers offers, co_await catalogue_.Find(std::move(skus), context));
  const auto offer = offers.find(sku);
  if (offer == offers.end() || !offer->second.sold) {
    co_return Error(absl::StatusCode::kInvalidArgument, "ITEM_NOT_SOLD", Concat(sku.str(), " is not sold"),
                    "sku");
  }
  co_return absl::OkStatus();
}

async::Task<absl::StatusOr<Cart>> CartRpc::Change(std::string cart_id, Caller caller, Item item,
                                                  const RequestContext& context) {
  const absl::StatusOr<CartId> id = CartId::Parse(cart_id);
  if (!id.ok()) co_return CartNotFound();
  Work change = [&](postgres::Session& session) {
    return ChangeItem(session, context, *id, caller, item, rules_);
  };
  absl::StatusOr<Cart> cart = co_await pool_.Transact<Cart>(context, std::move(change));
  CrashPoint("cart.change.stored");
  co_return cart;
}

rpc::Reply<pb::Cart> CartRpc::Show(Cart cart, const RequestContext& context) {
  std::vector<SkuCode> skus;
  for (const Item& item : cart.items) skus.push_back(item.sku);
  CO_ASSIGN_OR_RETURN(const Offers offers, co_await catalogue_.Find(std::move(skus), context));
  CO_ASSIGN_OR_RETURN(const PricedCart priced, Price(std::move(cart), offers));
  co_return ToProto(priced, context.tenant);
}

}  // namespace bv::cart
