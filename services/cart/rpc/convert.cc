#include "services/cart/rpc/convert.h"

#include "libs/base/digest.h"
#include "libs/base/macros.h"
#include "libs/rpc/timestamp.h"

namespace bv::cart {
namespace {

namespace pb = commerce::cart::v1;

pb::CartHold::Status StatusOf(HoldState state) {
  switch (state) {
    case HoldState::kNone:
      return pb::CartHold::STATUS_UNSPECIFIED;
    case HoldState::kRequested:
      return pb::CartHold::STATUS_REQUESTED;
    case HoldState::kHeld:
      return pb::CartHold::STATUS_HELD;
    case HoldState::kRejected:
      return pb::CartHold::STATUS_REJECTED;
    case HoldState::kExpired:
      return pb::CartHold::STATUS_EXPIRED;
  }
  return pb::CartHold::STATUS_UNSPECIFIED;
}

void SetHold(pb::CartHold& target, const Hold& hold, const HoldId& id) {
  target.set_status(StatusOf(hold.state));
  target.set_reservation_id(id.str());
  if (hold.state != HoldState::kHeld) return;
  target.set_qty(hold.qty);
  *target.mutable_held_until() = rpc::ToTimestamp(hold.until);
}

}  // namespace

absl::StatusOr<Caller> CallerOf(const RequestContext& context, const std::string& session_id) {
  Caller caller{.user_id = context.user_id, .role = context.role};
  if (!session_id.empty()) {
    ASSIGN_OR_RETURN(const SessionId secret, SessionId::Parse(session_id));
    caller.session_hash = HashOf(secret);
  }
  return caller;
}

std::string HashOf(const SessionId& session_id) {
  return Sha256Hex(session_id.str());
}

pb::Cart ToProto(const PricedCart& priced, const TenantId& tenant) {
  pb::Cart result;
  result.set_cart_id(priced.cart.id.str());
  result.set_user_id(priced.cart.owner.user_id);
  for (const PricedItem& line : priced.items) {
    pb::CartItem* item = result.add_items();
    item->set_sku(line.item.sku.str());
    item->set_product_id(line.offer.product.str());
    item->set_title(line.offer.title);
    item->set_qty(line.item.qty);
    item->set_price(line.offer.price.minor_units);
    item->set_amount(line.amount);
    item->set_currency(std::string(line.offer.price.currency.code()));
    item->set_unavailable(!line.offer.sold);
    if (line.item.hold.state != HoldState::kNone) {
      SetHold(*item->mutable_hold(), line.item.hold, HoldIdOf(tenant, priced.cart.id, line.item.sku));
    }
  }
  result.set_total_amount(priced.total.minor_units);
  result.set_currency(std::string(priced.total.currency.code()));
  *result.mutable_expires_at() = rpc::ToTimestamp(priced.cart.expires_at);
  *result.mutable_updated_at() = rpc::ToTimestamp(priced.cart.updated_at);
  return result;
}

}  // namespace bv::cart
