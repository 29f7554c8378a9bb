#include "services/cart/domain/hold.h"

#include <algorithm>
#include <array>
#include <utility>

#include "libs/base/macros.h"

namespace bv::cart {
namespace {

constexpr std::string_view kEveryTenant = "*";
constexpr std::array<std::pair<HoldState, std::string_view>, 5> kWords = {
    {{HoldState::kNone, ""},
     {HoldState::kRequested, "REQUESTED"},
     {HoldState::kHeld, "HELD"},
     {HoldState::kRejected, "REJECTED"},
     {HoldState::kExpired, "EXPIRED"}}};

}  // namespace

std::string_view WordOf(HoldState state) {
  return std::ranges::find(kWords, state, &std::pair<HoldState, std::string_view>::first)->second;
}

HoldState HoldStateOf(std::string_view word) {
  const auto found = std::ranges::find(kWords, word, &std::pair<HoldState, std::string_view>::second);
  return found == kWords.end() ? HoldState::kNone : found->first;
}

absl::StatusOr<HoldPolicy> HoldPolicy::Create(const std::vector<std::string>& tenants, absl::Duration ttl) {
  HoldPolicy policy;
  policy.ttl_ = ttl;
  policy.every_tenant_ = tenants.size() == 1 && tenants[0] == kEveryTenant;
  if (policy.every_tenant_) return policy;
  for (const std::string& text : tenants) {
    ASSIGN_OR_RETURN(TenantId tenant, TenantId::Parse(text, "cart.hold_items"));
    policy.tenants_.push_back(std::move(tenant));
  }
  return policy;
}

std::optional<absl::Duration> HoldPolicy::TtlFor(const TenantId& tenant) const {
  if (every_tenant_ || std::ranges::find(tenants_, tenant) != tenants_.end()) return ttl_;
  return std::nullopt;
}

HoldId HoldIdOf(const TenantId& tenant, const CartId& cart, const SkuCode& sku) {
  return HoldId::DerivedFrom({tenant.str(), cart.str(), sku.str()});
}

Hold Answered(const Hold& hold, std::int64_t item_version, const HoldAnswer& answer) {
  if (answer.item_version != item_version || !IsOpen(hold)) return hold;
  switch (answer.kind) {
    case HoldAnswer::Kind::kHeld:
      return hold.state == HoldState::kRequested
                 ? Hold{.state = HoldState::kHeld, .qty = answer.qty, .until = answer.until}
                 : hold;
    case HoldAnswer::Kind::kRejected:
      return hold.state == HoldState::kRequested ? Hold{.state = HoldState::kRejected} : hold;
    case HoldAnswer::Kind::kReleased:
      return {};
    case HoldAnswer::Kind::kExpired:
      return {.state = HoldState::kExpired};
  }
  return hold;
}

}  // namespace bv::cart
