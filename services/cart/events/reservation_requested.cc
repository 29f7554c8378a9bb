#include "services/cart/events/reservation_requested.h"

#include "commerce/inventory/v1/events.pb.h"

namespace bv::cart {
namespace {

// For each version of the item a reservation is requested, held or rejected, and released or expired; this is
// the first of the three, the others are inventory's.
constexpr std::int64_t kStepsOfAVersion = 3;

}  // namespace

absl::StatusOr<events::OutboxRow> ReservationRequestedRow(const HoldRequest& request, const Cart& cart,
                                                          absl::Duration hold_ttl, absl::Time occurred_at,
                                                          const RequestContext& context) {
  const HoldId id = HoldIdOf(context.tenant, cart.id, request.sku);
  commerce::inventory::v1::ReservationRequested event;
  event.set_reservation_id(id.str());
  event.set_cart_id(cart.id.str());
  event.set_user_id(cart.owner.user_id);
  event.set_sku(request.sku.str());
  event.set_qty(request.qty);
  event.set_hold_seconds(static_cast<std::int32_t>(absl::ToInt64Seconds(hold_ttl)));
  event.set_item_version(request.item_version);
  if (request.replaces) event.set_replaces(HoldIdOf(context.tenant, *request.replaces, request.sku).str());
  return events::MakeRow(event, request.item_version * kStepsOfAVersion, occurred_at, context);
}

}  // namespace bv::cart
