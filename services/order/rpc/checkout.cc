#include "services/order/rpc/checkout.h"

#include <absl/strings/escaping.h>
#include <openssl/sha.h>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/telemetry/telemetry.h"
#include "services/order/rpc/convert.h"
#include "services/order/store/order_rows.h"

namespace bv::order {
namespace {

namespace cart = commerce::cart::v1;
namespace inventory = commerce::inventory::v1;
namespace product = commerce::product::v1;

std::string Sha256Hex(const std::string& text) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  return absl::BytesToHexString({reinterpret_cast<const char*>(digest), sizeof(digest)});
}

// Inventory names the line of its request ("lines[1].qty"); the customer asked for items.
absl::Status InTermsOfItems(const absl::Status& status, const Order& order, const Draft& draft) {
  ErrorDetail detail = GetErrorDetail(status);
  for (std::size_t line = 0; line < order.items.size(); ++line) {
    if (detail.field != Concat("lines[", line, "].qty")) continue;
    for (std::size_t item = 0; item < draft.items.size(); ++item) {
      const WantedItem& wanted = draft.items[item];
      if (wanted.sku == order.items[line].sku || wanted.product == order.items[line].product) {
        detail.field = Concat("items[", item, "].qty");
        absl::Status renamed = status;
        SetErrorDetail(renamed, detail);
        return renamed;
      }
    }
  }
  return status;
}

}  // namespace

Checkout::Checkout(Peers& peers, postgres::Pool& pool, OrderLanes& lanes)
    : peers_(peers),
      pool_(pool),
      lanes_(lanes),
      created_(telemetry::Counter("orders_created_total", "Orders stored.")),
      latency_(telemetry::Histogram("order_creation_latency_ms", "From the call to the stored order.",
                                    telemetry::LatencyMillis())) {}

async::Task<absl::StatusOr<Order>> Checkout::Create(Draft draft, CartRef cart, std::string request,
                                                    const RequestContext& context) {
  const absl::Time start = absl::Now();
  std::string key_hash, request_hash;
  if (!context.idempotency_key.empty()) {
    key_hash = Sha256Hex(context.idempotency_key);
    request_hash = Sha256Hex(request);
    CO_ASSIGN_OR_RETURN(std::optional<Order> repeated,
                        co_await FindRepeated(key_hash, request_hash, context));
    if (repeated) co_return *std::move(repeated);
  }
  if (!cart.cart_id.empty()) CO_RETURN_IF_ERROR(co_await TakeCartItems(cart, draft, context));
  CO_ASSIGN_OR_RETURN(Order order, co_await Price(draft, context));
  CO_RETURN_IF_ERROR(co_await ReserveStock(order, draft, context));
  CO_ASSIGN_OR_RETURN(order, co_await Store(std::move(order), key_hash, request_hash, context));
  latency_.Observe(absl::ToDoubleMilliseconds(absl::Now() - start));
  co_return order;
}

async::Task<absl::StatusOr<std::optional<Order>>> Checkout::FindRepeated(const std::string& key_hash,
                                                                         const std::string& request_hash,
                                                                         const RequestContext& context) {
  using Found = std::optional<Order>;
  std::function<absl::StatusOr<Found>(postgres::Session&)> find =
      [&](postgres::Session& session) -> absl::StatusOr<Found> {
    const auto record = ReadIdempotencyRecord(session, context.tenant, context.user_id, key_hash);
    if (!record) return Found();
    if (record->request_hash != request_hash) return IdempotencyKeyReused();
    ASSIGN_OR_RETURN(Order order, ReadOrder(session, context.tenant, record->order, ""));
    return Found(std::move(order));
  };
  co_return co_await pool_.Read<Found>(context, std::move(find));
}

async::Task<absl::Status> Checkout::TakeCartItems(const CartRef& cart, Draft& draft,
                                                  const RequestContext& context) {
  cart::GetCartRequest request;
  request.set_cart_id(cart.cart_id);
  request.set_session_id(cart.session_id);
  CO_ASSIGN_OR_RETURN(const cart::Cart found,
                      co_await peers_.carts.Call(&rpc::Async<cart::Carts>::GetCart, request, context));
  if (found.items().empty())
    co_return Error(absl::StatusCode::kFailedPrecondition, "CART_EMPTY", "the cart is empty", "cartId");
  for (const cart::CartItem& item : found.items())
    draft.items.push_back({.sku = SkuCode::Trusted(item.sku()), .qty = item.qty()});
  co_return CheckItems(draft.items);
}

async::Task<absl::StatusOr<Order>> Checkout::Price(const Draft& draft, const RequestContext& context) {
  const product::ResolveVariantsRequest request = ToResolveRequest(draft.items);
  CO_ASSIGN_OR_RETURN(
      const product::ResolveVariantsResponse response,
      co_await peers_.products.Call(&rpc::Async<product::Products>::ResolveVariants, request, context));
  CO_ASSIGN_OR_RETURN(const std::vector<PricedItem> priced, FromProto(response, draft.items.size()));
  co_return Place(OrderId::New(), context.user_id, draft, priced);
}

async::Task<absl::Status> Checkout::ReserveStock(const Order& order, const Draft& draft,
                                                 const RequestContext& context) {
  inventory::ReserveRequest request;
  request.set_reservation_id(order.id.str());
  for (const Item& item : order.items) {
    inventory::ReserveLine* line = request.add_lines();
    line->set_sku(item.sku.str());
    line->set_qty(item.qty);
  }
  const absl::StatusOr<inventory::ReserveResponse> held =
      co_await peers_.inventory.Call(&rpc::Async<inventory::Inventory>::ReserveStock, request, context);
  if (!held.ok()) co_return InTermsOfItems(held.status(), order, draft);
  co_return absl::OkStatus();
}

async::Task<absl::StatusOr<Order>> Checkout::Store(Order order, const std::string& key_hash,
                                                   const std::string& request_hash,
                                                   const RequestContext& context) {
  const OrderId id = order.id;
  CreateCommand command{.order = order, .key_hash = key_hash, .request_hash = request_hash};
  // Commands with the same key meet in the same lane.
  const std::string lane_key = key_hash.empty() ? id.str() : key_hash;
  const absl::StatusOr<Created> created = co_await lanes_.Submit(lane_key, std::move(command), context);
  if (!created.ok()) {
    // An order that may have been stored keeps its stock: better held without an order than sold twice.
    if (!postgres::CommitUnknown(created.status())) co_await ReleaseStock(id, context);
    co_return created.status();
  }
  if (created->repeated) {
    co_await ReleaseStock(id, context);
    co_return co_await Read(created->id, context);
  }
  created_.Increment();
  telemetry::Log(telemetry::Level::kInfo, context, "order created",
                 {{"orderId", id.str()},
                  {"eventType", "ecommerce.order.order.created.v1"},
                  {"items", static_cast<int>(order.items.size())}});
  order.created_at = created->created_at;
  order.updated_at = created->created_at;
  co_return order;
}

async::Task<void> Checkout::ReleaseStock(OrderId order, RequestContext context) {
  // The stock goes back even if the caller has gone or has no time left.
  context.stop = {};
  context.deadline = absl::Now() + absl::Seconds(5);
  inventory::ReleaseRequest request;
  request.set_reservation_id(order.str());
  const absl::StatusOr<inventory::ReleaseResponse> released =
      co_await peers_.inventory.Call(&rpc::Async<inventory::Inventory>::ReleaseStock, request, context);
  if (!released.ok()) {
    telemetry::Log(telemetry::Level::kWarn, context, "stock stays held without an order",
                   {{"orderId", order.str()}, {"error", released.status()}});
  }
}

async::Task<absl::StatusOr<Order>> Checkout::Read(OrderId id, const RequestContext& context) {
  std::function<absl::StatusOr<Order>(postgres::Session&)> read = [&](postgres::Session& session) {
    return ReadOrder(session, context.tenant, id, "");
  };
  co_return co_await pool_.Read<Order>(context, std::move(read));
}

}  // namespace bv::order
