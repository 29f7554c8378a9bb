// The way from a draft to a stored order: idempotency, prices, stock, rows.
#pragma once

#include <string>

#include "commerce/cart/v1/service.grpc.pb.h"
#include "commerce/inventory/v1/service.grpc.pb.h"
#include "commerce/product/v1/service.grpc.pb.h"
#include "libs/postgres/postgres.h"
#include "libs/rpc/client.h"
#include "services/order/rpc/price_cache.h"
#include "services/order/store/create_batch.h"
#include "services/order/store/lookup_batch.h"

namespace bv::order {

// The services that checkout calls.
struct Peers {
  rpc::Client<commerce::product::v1::Products> products;
  rpc::Client<commerce::inventory::v1::Inventory> inventory;
  rpc::Client<commerce::cart::v1::Carts> carts;
};

// Where the items come from when the request names a cart.
struct CartRef {
  std::string cart_id;
  std::string session_id;
};

// An order that was asked for.
struct Placed {
  Order order;
  // It is the result of an earlier request with the same Idempotency-Key.
  bool replayed = false;
};

class Checkout {
 public:
  // An order by bank transfer holds its stock for `bank_transfer_hold`, any other as long as inventory holds
  // by default.
  Checkout(Peers& peers, postgres::Pool& pool, LookUpLanes& look_ups, OrderLanes& lanes, PriceCache& prices,
           absl::Duration bank_transfer_hold);

  // `request` is the whole request, serialised, to compare repeats with. A failure after the stock was
  // reserved gives it back, unless the order may have been stored or a repeat will find the hold.
  async::Task<absl::StatusOr<Placed>> Create(Draft draft, CartRef cart, std::string request,
                                             const RequestContext& context);

 private:
  // What a request is known by; empty without a key.
  struct Key {
    std::string key_hash;
    std::string request_hash;
  };
  // The order that the key led to before, if it did; else the time at which it had not.
  struct LookedUpOrder {
    std::optional<Order> repeated;
    absl::Time now;
  };
  async::Task<absl::StatusOr<LookedUpOrder>> FindRepeated(const Key& key, const RequestContext& context);
  // Sets draft.items, and returns the holds that the cart has.
  async::Task<absl::StatusOr<std::vector<std::string>>> TakeCartItems(const CartRef& cart, Draft& draft,
                                                                      const RequestContext& context);
  // `now` by the database's clock; absl::Time() when it is not known.
  async::Task<absl::StatusOr<Order>> Price(const Draft& draft, absl::Time now, const RequestContext& context);
  // Holds stock under `order.reservation_id`, and sets hold_expires_at. False: that was the hold of an
  // earlier request, and is over.
  async::Task<absl::StatusOr<bool>> ReserveStock(Order& order, const Draft& draft,
                                                 const std::vector<std::string>& replaces,
                                                 const RequestContext& context);
  async::Task<absl::StatusOr<Placed>> Store(Order order, const Key& key, const RequestContext& context);
  async::Task<void> ReleaseStock(std::string reservation_id, RequestContext context);
  async::Task<absl::StatusOr<Order>> Read(OrderId id, const RequestContext& context);

  Peers& peers_;
  postgres::Pool& pool_;
  LookUpLanes& look_ups_;
  OrderLanes& lanes_;
  PriceCache& prices_;
  const absl::Duration bank_transfer_hold_;
  prometheus::Counter& created_;
  prometheus::Histogram& latency_;
};

}  // namespace bv::order
