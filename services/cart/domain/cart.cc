#include "services/cart/domain/cart.h"

#include <absl/strings/ascii.h>

#include <algorithm>
#include <utility>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"

namespace bv::cart {
namespace {

absl::Status CartFull() {
  return Error(absl::StatusCode::kFailedPrecondition, "CART_FULL",
               Concat("a cart has at most ", kItemsMax, " items; remove some"));
}

absl::Status Append(std::vector<Item>& items, const SkuCode& sku, std::int64_t qty) {
  if (items.size() >= kItemsMax) return CartFull();
  items.push_back({.sku = sku, .qty = qty});
  return absl::OkStatus();
}

}  // namespace

absl::Status SessionIdTag::Check(std::string_view text, std::string_view field_name) {
  const auto allowed = [](unsigned char c) { return absl::ascii_isalnum(c) || c == '_' || c == '-'; };
  if (text.size() < 16 || text.size() > 128 || !std::ranges::all_of(text, allowed)) {
    return InvalidValue(field_name, "must be 16 to 128 characters of A-Z a-z 0-9 _ -");
  }
  return absl::OkStatus();
}

Owner OwnerOf(const Caller& caller) {
  if (caller.session_hash.empty()) return {.user_id = caller.user_id};
  return {.session_hash = caller.session_hash};
}

bool MayRead(const Cart& cart, const Caller& caller) {
  const bool back_office =
      caller.role == Role::kStaff || caller.role == Role::kAdmin || caller.role == Role::kService;
  return MayChange(cart, caller) || (back_office && !cart.owner.user_id.empty());
}

bool MayChange(const Cart& cart, const Caller& caller) {
  if (!cart.owner.user_id.empty()) return cart.owner.user_id == caller.user_id;
  return !cart.owner.session_hash.empty() && cart.owner.session_hash == caller.session_hash;
}

absl::Status CheckQuantity(std::int64_t qty) {
  if (qty < 0 || qty > kQuantityMax) return InvalidValue("qty", Concat("must be 0 to ", kQuantityMax));
  return absl::OkStatus();
}

absl::Status SetItem(Cart& cart, const SkuCode& sku, std::int64_t qty) {
  const auto found = std::ranges::find(cart.items, sku, &Item::sku);
  if (found == cart.items.end()) return qty == 0 ? absl::OkStatus() : Append(cart.items, sku, qty);
  if (qty == 0) {
    cart.items.erase(found);
  } else {
    found->qty = qty;
  }
  return absl::OkStatus();
}

absl::Status Merge(Cart& cart, const Cart& from) {
  std::vector<Item> items = cart.items;
  for (const Item& item : from.items) {
    const auto found = std::ranges::find(items, item.sku, &Item::sku);
    if (found == items.end()) {
      RETURN_IF_ERROR(Append(items, item.sku, item.qty));
    } else {
      found->qty = std::min(found->qty + item.qty, kQuantityMax);
    }
  }
  cart.items = std::move(items);
  return absl::OkStatus();
}

std::vector<HoldRequest> Renew(const Cart& before, Cart& after, HoldItems hold_items) {
  after.version = before.version + 1;
  std::vector<HoldRequest> given_back;
  std::vector<HoldRequest> wanted;
  for (const Item& item : before.items) {
    const bool removed = std::ranges::find(after.items, item.sku, &Item::sku) == after.items.end();
    if (removed && IsOpen(item.hold)) given_back.push_back({item.sku, 0, after.version});
  }
  for (Item& item : after.items) {
    if (std::ranges::find(before.items, item) != before.items.end()) continue;
    const Hold previous = std::exchange(item.hold, {});
    item.version = after.version;
    if (hold_items == HoldItems::kYes) {
      item.hold.state = HoldState::kRequested;
      wanted.push_back({item.sku, item.qty, item.version});
    } else if (IsOpen(previous)) {
      given_back.push_back({item.sku, 0, item.version});
    }
  }
  given_back.insert(given_back.end(), wanted.begin(), wanted.end());
  return given_back;
}

void TakeOver(std::vector<HoldRequest>& requests, const Cart& from) {
  for (HoldRequest& request : requests) {
    const auto item = std::ranges::find(from.items, request.sku, &Item::sku);
    if (item != from.items.end() && IsOpen(item->hold)) request.replaces = from.id;
  }
}

}  // namespace bv::cart
