// What overrides and flash sales are, and which may be made; pure.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/id.h"
#include "services/product/domain/product.h"

namespace bv::product {

BV_DEFINE_ID(FlashSaleId, "fsl");

inline constexpr std::size_t kSaleNameMax = 200;
inline constexpr absl::Duration kSaleDurationMax = absl::Hours(24 * 31);

enum class SaleStatus { kScheduled, kRunning, kEnded, kCanceled };

struct SaleOffer {
  VariantId variant;
  SkuCode sku;
  Money price;
};

// Its prices hold in starts_at ≤ t < ends_at.
struct FlashSale {
  FlashSaleId id;
  ProductId product;
  std::string name;
  std::vector<SaleOffer> offers;
  absl::Time starts_at;
  absl::Time ends_at;
  std::optional<absl::Time> canceled_at;
};

// A price in place of the catalogue's.
struct PriceOverride {
  ProductId product;
  VariantId variant;
  SkuCode sku;
  Money price;
  absl::Time valid_from;
  // absl::InfiniteFuture() until it is removed.
  absl::Time valid_until = absl::InfiniteFuture();
};

SaleStatus StatusAt(const FlashSale& sale, absl::Time at);

// Completes `sale`, whose offers name SKUs, from its product: the ids of the variants. It is scheduled at
// `now`; a start of absl::InfinitePast() becomes that. INVALID_ARGUMENT names the field.
absl::Status Schedule(FlashSale& sale, const Product& product, absl::Time now);

// Ends a sale now, or keeps it from beginning. FAILED_PRECONDITION, reason SALE_OVER.
absl::Status Cancel(FlashSale& sale, absl::Time now);

// Whether an override may be set for `variant` at its valid_from. INVALID_ARGUMENT names the field.
absl::Status CheckOverride(const PriceOverride& wanted, const Variant& variant);

}  // namespace bv::product
