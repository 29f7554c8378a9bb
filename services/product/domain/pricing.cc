#include "services/product/domain/pricing.h"

#include <algorithm>

namespace bv::product {
namespace {

std::optional<EffectivePrice> PriceUpTo(PriceSource highest, std::span<const PricePeriod> periods,
                                        absl::Time at) {
  const PricePeriod* counts = nullptr;
  for (const PricePeriod& period : periods) {
    if (period.source > highest || at < period.from || at >= period.until) continue;
    if (counts == nullptr || period.source > counts->source) counts = &period;
  }
  if (counts == nullptr) return std::nullopt;
  EffectivePrice price{counts->price, counts->source, counts->from, counts->until};
  // What lies over it cuts its time off, on both sides.
  for (const PricePeriod& period : periods) {
    if (period.source > highest || period.source <= counts->source || period.from >= period.until) continue;
    if (period.until <= at) price.valid_from = std::max(price.valid_from, period.until);
    if (period.from > at) price.valid_until = std::min(price.valid_until, period.from);
  }
  return price;
}

}  // namespace

std::optional<EffectivePrice> PriceAt(std::span<const PricePeriod> periods, absl::Time at) {
  return PriceUpTo(PriceSource::kFlashSale, periods, at);
}

std::optional<EffectivePrice> RegularPriceAt(std::span<const PricePeriod> periods, absl::Time at) {
  return PriceUpTo(PriceSource::kOverride, periods, at);
}

bool IsAnotherPrice(const EffectivePrice& a, const EffectivePrice& b) {
  return a.price != b.price || a.source != b.source;
}

}  // namespace bv::product
