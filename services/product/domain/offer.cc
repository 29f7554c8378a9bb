#include "services/product/domain/offer.h"

#include "libs/base/error.h"
#include "libs/base/strings.h"

namespace bv::product {

absl::Status CheckRefCount(std::size_t count) {
  if (count == 0 || count > kRefsMax)
    return InvalidValue("variants", Concat("must be 1 to ", kRefsMax, " variants"));
  return absl::OkStatus();
}

Offer Choose(const std::vector<Candidate>& candidates) {
  if (candidates.empty()) return {.outcome = Outcome::kNotFound};
  const Candidate& first = candidates.front();
  // An archived variant is no alternative to an active one.
  if (candidates.size() > 1 && candidates[1].status == first.status) return {.outcome = Outcome::kAmbiguous};
  const bool sold = first.product_status == ProductStatus::kActive && first.status == VariantStatus::kActive;
  return {.outcome = sold ? Outcome::kSellable : Outcome::kNotSold, .variant = first};
}

}  // namespace bv::product
