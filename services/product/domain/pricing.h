// What a variant costs at a time; pure.
#pragma once

#include <absl/time/time.h>

#include <optional>
#include <span>

#include "libs/base/money.h"

namespace bv::product {

// Where a price comes from. Of those that hold at a time, the last one here counts.
enum class PriceSource { kCatalog, kOverride, kFlashSale };

// A price of one source with the time in which it holds: `from` included, `until` not. One that is canceled
// before it begins has no time: until = from.
struct PricePeriod {
  PriceSource source = PriceSource::kCatalog;
  Money price;
  absl::Time from;
  // absl::InfiniteFuture() while no end is known.
  absl::Time until = absl::InfiniteFuture();
};

struct EffectivePrice {
  Money price;
  PriceSource source = PriceSource::kCatalog;
  // The longest time around the one that was asked for in which this period counts; `valid_from` included.
  absl::Time valid_from;
  // absl::InfiniteFuture() while no end is known.
  absl::Time valid_until = absl::InfiniteFuture();
};

// What counts at `at`. `periods` of one variant, in any order; those of one source do not overlap. Of each
// source are needed the period that holds at `at`, and for an exact validity the last one before it and the
// next one after it. None when no period holds.
std::optional<EffectivePrice> PriceAt(std::span<const PricePeriod> periods, absl::Time at);

// The same without flash sales.
std::optional<EffectivePrice> RegularPriceAt(std::span<const PricePeriod> periods, absl::Time at);

// Whether a shopper pays something else, or for another reason.
bool IsAnotherPrice(const EffectivePrice& a, const EffectivePrice& b);

}  // namespace bv::product
