#include "services/order/rpc/checkout.h"

#include "libs/base/crash_point.h"
#include "libs/base/digest.h"
#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/rpc/timestamp.h"
#include "libs/telemetry/telemetry.h"
#include "services/order/rpc/convert.h"
#include "services/order/rpc/stock_request.h"
#include "services/order/store/idempotency_rows.h"
#include "services/order/store/order_rows.h"

namespace bv::order {
namespace {

namespace cart = commerce::cart::v1;
namespace inventory = commerce::inventory::v1;
namespace product = commerce::product::v1;

// A hold that is found under a key whose record has run out belongs to an older order. The record lives 24
// hours from a moment after the hold was made, and holds are far shorter unless they wait for a bank.
constexpr absl::Duration kHoldReuseMax = absl::Hours(23);

}  // namespace

Checkout::Checkout(Peers& peers, postgres::Pool& pool, LookUpLanes& look_ups, OrderLanes& lanes,
                   PriceCache& prices, absl::Duration bank_transfer_hold)
    : peers_(peers),
      pool_(pool),
      look_ups_(look_ups),
      lanes_(lanes),
      prices_(prices),
      bank_transfer_hold_(bank_transfer_hold),
      created_(telemetry::Counter("orders_created_total", "Orders stored.")),
      latency_(telemetry::Histogram("order_creation_latency_ms", "From the call to the stored order.",
                                    telemetry::LatencyMillis())) {}

async::Task<absl::StatusOr<Placed>> Checkout::Create(Draft draft, CartRef cart, std::string request,
                                                     const RequestContext& context) {
  const absl::Time start = absl::Now();
  Key key;
  absl::Time now;
  if (!context.idempotency_key.empty()) {
    key.key_hash = Sha256Hex(context.idempotency_key);
    key.request_hash = Sha256Hex(request);
    CO_ASSIGN_OR_RETURN(LookedUpOrder found, co_await FindRepeated(key, context));
    if (found.repeated) co_return Placed{.order = *std::move(found.repeated), .replayed = true};
    now = found.now;
  }
  std::vector<std::string> cart_holds;
  if (!cart.cart_id.empty()) {
    CO_ASSIGN_OR_RETURN(cart_holds, co_await TakeCartItems(cart, draft, context));
  }
  CO_ASSIGN_OR_RETURN(Order order, co_await Price(draft, now, context));
  order.created_at = now;
  CrashPoint("order.create.priced");
  order.reservation_id = ReservationIdOf(order, key.key_hash, key.request_hash, context);
  CO_ASSIGN_OR_RETURN(bool held, co_await ReserveStock(order, draft, cart_holds, context));
  if (!held) {
    // The hold of an earlier request under the key is over. It may have been given back because the key has
    // come to stand for another request, or for this one; only if not, there is stock to ask for once more.
    CO_ASSIGN_OR_RETURN(LookedUpOrder found, co_await FindRepeated(key, context));
    if (found.repeated) co_return Placed{.order = *std::move(found.repeated), .replayed = true};
    order.reservation_id = order.id.str();
    CO_ASSIGN_OR_RETURN(held, co_await ReserveStock(order, draft, cart_holds, context));
  }
  CrashPoint("order.create.reserved");
  CO_ASSIGN_OR_RETURN(Placed placed, co_await Store(std::move(order), key, context));
  CrashPoint("order.create.stored");
  latency_.Observe(absl::ToDoubleMilliseconds(absl::Now() - start));
  co_return placed;
}

async::Task<absl::StatusOr<Checkout::LookedUpOrder>> Checkout::FindRepeated(const Key& key,
                                                                            const RequestContext& context) {
  LookUp look_up{.key = {context.tenant.str(), context.user_id, key.key_hash}};
  CO_ASSIGN_OR_RETURN(const LookedUp found,
                      co_await look_ups_.Submit(key.key_hash, std::move(look_up), context));
  LookedUpOrder result{.now = found.now};
  if (!found.record) co_return result;
  if (found.record->request_hash != key.request_hash) co_return IdempotencyKeyReused();
  CO_ASSIGN_OR_RETURN(result.repeated, co_await Read(found.record->order, context));
  co_return result;
}

async::Task<absl::StatusOr<std::vector<std::string>>> Checkout::TakeCartItems(const CartRef& cart,
                                                                              Draft& draft,
                                                                              const RequestContext& context) {
  cart::GetCartRequest request;
  request.set_cart_id(cart.cart_id);
  request.set_session_id(cart.session_id);
  CO_ASSIGN_OR_RETURN(const cart::Cart found,
                      co_await peers_.carts.Call(&rpc::Async<cart::Carts>::GetCart, request, context));
  if (found.items().empty())
    co_return Error(absl::StatusCode::kFailedPrecondition, "CART_EMPTY", "the cart is empty", "cartId");
  std::vector<std::string> holds;
  for (const cart::CartItem& item : found.items()) {
    draft.items.push_back({.sku = SkuCode::Trusted(item.sku()), .qty = item.qty()});
    // What the cart has asked for may be held without its having heard of it.
    const cart::CartHold::Status hold = item.hold().status();
    if (hold == cart::CartHold::STATUS_HELD || hold == cart::CartHold::STATUS_REQUESTED)
      holds.push_back(item.hold().reservation_id());
  }
  CO_RETURN_IF_ERROR(CheckItems(draft.items));
  co_return holds;
}

async::Task<absl::StatusOr<Order>> Checkout::Price(const Draft& draft, absl::Time now,
                                                   const RequestContext& context) {
  product::ResolveVariantsRequest request = ToResolveRequest(draft.items);
  std::optional<product::ResolveVariantsResponse> response;
  if (now != absl::Time()) {
    // The order is of this time, also when a sale begins or ends while product is asked.
    *request.mutable_at() = rpc::ToTimestamp(now);
    response = prices_.Find(context.tenant, request, now);
  }
  if (!response) {
    CO_ASSIGN_OR_RETURN(response, co_await peers_.products.Call(
                                      &rpc::Async<product::Products>::ResolveVariants, request, context));
    prices_.Keep(context.tenant, request, *response);
  }
  CO_ASSIGN_OR_RETURN(const std::vector<PricedItem> priced, FromProto(*response, draft.items.size()));
  co_return Place(OrderId::New(), context.user_id, draft, priced);
}

async::Task<absl::StatusOr<bool>> Checkout::ReserveStock(Order& order, const Draft& draft,
                                                         const std::vector<std::string>& replaces,
                                                         const RequestContext& context) {
  inventory::ReserveRequest request;
  request.set_reservation_id(order.reservation_id);
  AddLines(order, request);
  for (const std::string& hold : replaces) request.add_replaces(hold);
  request.set_holder(inventory::HOLDER_ORDER);
  if (order.payment_method == PaymentMethod::kBankTransfer)
    request.set_hold_seconds(static_cast<std::int32_t>(absl::ToInt64Seconds(bank_transfer_hold_)));
  const absl::StatusOr<inventory::ReserveResponse> held =
      co_await peers_.inventory.Call(&rpc::Async<inventory::Inventory>::ReserveStock, request, context);
  if (!held.ok()) co_return InTermsOfItems(held.status(), order, draft);
  order.hold_expires_at = rpc::FromTimestamp(held->expires_at());
  if (order.reservation_id == order.id.str()) co_return true;
  co_return held->status() == inventory::RESERVATION_STATUS_HELD&& rpc::FromTimestamp(held->created_at()) >
                                  order.created_at - kHoldReuseMax;
}

async::Task<absl::StatusOr<Placed>> Checkout::Store(Order order, const Key& key,
                                                    const RequestContext& context) {
  const OrderId id = order.id;
  CreateCommand command{.order = order, .key_hash = key.key_hash, .request_hash = key.request_hash};
  // Commands with the same key meet in the same lane.
  const std::string lane_key = key.key_hash.empty() ? id.str() : key.key_hash;
  const absl::StatusOr<Created> created = co_await lanes_.Submit(lane_key, std::move(command), context);
  // A hold under the key is that of all who repeat the request, at once or later, so it is nobody's to give
  // back: what no order comes of is found by inventory. But no repeat of this one gets an order when the key
  // stands for another request. And an order that may have been stored keeps its stock.
  const bool own_hold = order.reservation_id == id.str();
  if (!created.ok()) {
    const bool refused = ErrorReason(created.status()) == "IDEMPOTENCY_KEY_REUSED";
    if (refused || (own_hold && !postgres::CommitUnknown(created.status())))
      co_await ReleaseStock(order.reservation_id, context);
    co_return created.status();
  }
  if (created->repeated) {
    if (own_hold) co_await ReleaseStock(order.reservation_id, context);
    CO_ASSIGN_OR_RETURN(Order first, co_await Read(created->id, context));
    co_return Placed{.order = std::move(first), .replayed = true};
  }
  created_.Increment();
  telemetry::Log(telemetry::Level::kInfo, context, "order created",
                 {{"orderId", id.str()},
                  {"eventType", "ecommerce.order.order.created.v1"},
                  {"items", static_cast<int>(order.items.size())}});
  order.created_at = created->created_at;
  order.updated_at = created->created_at;
  co_return Placed{.order = std::move(order)};
}

async::Task<void> Checkout::ReleaseStock(std::string reservation_id, RequestContext context) {
  // The stock goes back even if the caller has gone or has no time left.
  context.stop = {};
  context.deadline = absl::Now() + absl::Seconds(5);
  inventory::ReleaseRequest request;
  request.set_reservation_id(reservation_id);
  const absl::StatusOr<inventory::ReleaseResponse> released =
      co_await peers_.inventory.Call(&rpc::Async<inventory::Inventory>::ReleaseStock, request, context);
  if (!released.ok()) {
    telemetry::Log(telemetry::Level::kWarn, context, "stock stays held without an order",
                   {{"reservationId", reservation_id}, {"error", released.status()}});
  }
}

async::Task<absl::StatusOr<Order>> Checkout::Read(OrderId id, const RequestContext& context) {
  std::function<absl::StatusOr<Order>(postgres::Session&)> read = [&](postgres::Session& session) {
    return ReadOrder(session, context.tenant, id, "");
  };
  co_return co_await pool_.Read<Order>(context, std::move(read));
}

}  // namespace bv::order
