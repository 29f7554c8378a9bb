#include "services/cart/store/change_cart.h"

#include <algorithm>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "services/cart/events/reservation_requested.h"
#include "services/cart/store/cart_rows.h"

namespace bv::cart {
namespace {

// Another transaction may close or delete a cart between two statements of this one; so often in a row it
// does not.
constexpr int kAttemptsMax = 3;

absl::Status CartBusy() {
  return Error(absl::StatusCode::kAborted, "CART_BUSY", "the cart was changed at the same time; try again");
}

absl::Status AskForHolds(postgres::Session& session, const RequestContext& context, const Cart& cart,
                         const std::vector<HoldRequest>& requests, absl::Duration hold_ttl) {
  if (requests.empty()) return absl::OkStatus();
  std::vector<events::OutboxRow> rows;
  for (const HoldRequest& request : requests) {
    ASSIGN_OR_RETURN(events::OutboxRow row,
                     ReservationRequestedRow(request, cart, hold_ttl, session.transaction_time(), context));
    rows.push_back(std::move(row));
  }
  events::InsertOutbox(session, rows);
  return absl::OkStatus();
}

// Nothing, when the items are the same. `merged` is the cart that the new items came from, if one was merged.
absl::Status StoreChange(postgres::Session& session, const RequestContext& context, const Cart& before,
                         Cart& after, const CartRules& rules, const Cart* merged = nullptr) {
  if (after.items == before.items) return absl::OkStatus();
  const std::optional<absl::Duration> hold_ttl = rules.holds.TtlFor(context.tenant);
  std::vector<HoldRequest> requests = Renew(before, after, hold_ttl ? HoldItems::kYes : HoldItems::kNo);
  if (merged != nullptr) TakeOver(requests, *merged);
  WriteCart(session, context.tenant, before, after, rules.ttl);
  return AskForHolds(session, context, after, requests, hold_ttl.value_or(absl::ZeroDuration()));
}

}  // namespace

absl::Status CartNotFound() {
  return NotFound("CART_NOT_FOUND", "there is no such cart");
}

absl::StatusOr<Cart> OpenCart(postgres::Session& session, const TenantId& tenant, const Owner& owner,
                              absl::Duration ttl) {
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    std::optional<CartId> id = FindCart(session, tenant, owner);
    if (!id) {
      InsertCart(session, tenant, owner, ttl);
      id = FindCart(session, tenant, owner);
    }
    if (!id) continue;
    if (std::optional<Cart> cart = ReadCart(session, tenant, *id)) return *std::move(cart);
  }
  return CartBusy();
}

absl::StatusOr<Cart> ChangeItem(postgres::Session& session, const RequestContext& context, const CartId& id,
                                const Caller& caller, const Item& item, const CartRules& rules) {
  LockCart(session, context.tenant, id);
  // Read after the lock: by a snapshot that has what the change before this one wrote.
  const std::optional<Cart> before = ReadCart(session, context.tenant, id);
  if (!before || !MayChange(*before, caller)) return CartNotFound();
  Cart after = *before;
  RETURN_IF_ERROR(SetItem(after, item.sku, item.qty));
  RETURN_IF_ERROR(StoreChange(session, context, *before, after, rules));
  return after;
}

absl::StatusOr<Cart> MergeCarts(postgres::Session& session, const RequestContext& context,
                                const std::string& session_hash, const CartRules& rules) {
  const TenantId& tenant = context.tenant;
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    ASSIGN_OR_RETURN(Cart own, OpenCart(session, tenant, {.user_id = context.user_id}, rules.ttl));
    const std::optional<CartId> session_id = FindCart(session, tenant, {.session_hash = session_hash});
    if (!session_id) return own;
    // Always in this order, so that two merges cannot deadlock.
    LockCart(session, tenant, std::min(own.id, *session_id));
    LockCart(session, tenant, std::max(own.id, *session_id));
    const std::optional<Cart> before = ReadCart(session, tenant, own.id);
    const std::optional<Cart> from = ReadCart(session, tenant, *session_id);
    if (!before || !from) continue;
    Cart merged = *before;
    RETURN_IF_ERROR(Merge(merged, *from));
    Cart emptied = *from;
    emptied.items.clear();
    RETURN_IF_ERROR(StoreChange(session, context, *before, merged, rules, &*from));
    // What the user's cart could not take over.
    RETURN_IF_ERROR(AskForHolds(session, context, emptied, Renew(*from, emptied, HoldItems::kNo), {}));
    CloseCart(session, tenant, from->id);
    return merged;
  }
  return CartBusy();
}

}  // namespace bv::cart
