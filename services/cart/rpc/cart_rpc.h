// The service commerce.cart.v1.Carts.
#pragma once

#include <functional>

#include "commerce/cart/v1/service.grpc.pb.h"
#include "libs/postgres/postgres.h"
#include "libs/rpc/server.h"
#include "services/cart/domain/cart.h"
#include "services/cart/rpc/catalogue.h"
#include "services/cart/store/change_cart.h"

namespace bv::cart {

namespace pb = commerce::cart::v1;

class CartRpc {
 public:
  CartRpc(postgres::Pool& pool, Catalogue& catalogue, CartRules rules)
      : pool_(pool), catalogue_(catalogue), rules_(std::move(rules)) {}

  // Handlers are served by `server` from its start on.
  void Serve(rpc::Server& server);

  rpc::Reply<pb::Cart> CreateCart(rpc::Call<pb::CreateCartRequest> call);
  rpc::Reply<pb::Cart> GetCart(rpc::Call<pb::GetCartRequest> call);
  rpc::Reply<pb::Cart> SetItem(rpc::Call<pb::SetItemRequest> call);
  rpc::Reply<pb::Cart> RemoveItem(rpc::Call<pb::RemoveItemRequest> call);
  rpc::Reply<pb::Cart> MergeCart(rpc::Call<pb::MergeCartRequest> call);

 private:
  using Work = std::function<absl::StatusOr<Cart>(postgres::Session&)>;

  // INVALID_ARGUMENT, reason ITEM_NOT_SOLD.
  async::Task<absl::Status> CheckSold(SkuCode sku, const RequestContext& context);
  async::Task<absl::StatusOr<Cart>> Change(std::string cart_id, Caller caller, Item item,
                                           const RequestContext& context);
  // The answer of every call: the cart by the prices of now.
  rpc::Reply<pb::Cart> Show(Cart cart, const RequestContext& context);

  postgres::Pool& pool_;
  Catalogue& catalogue_;
  const CartRules rules_;
};

}  // namespace bv::cart
