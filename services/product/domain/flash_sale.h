// What overrides and flash sales are, and which may be made; pure.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/id.h"
#include "services/product/domain/product.h"

namespace bv::product {

BV_DEFINE_ID(FlashSaleId, "fsl");

inline constexpr std::size_t kSaleNameMax = 200;
inline constexpr absl::Duration kSaleDurationMax = absl::Hours(24 * 31);
inline constexpr std::int64_t kQuantityLimitMax = 1'000'000;

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
  // Pieces at its prices, all variants together; none without a limit.
  std::optional<std::int64_t> quantity_limit;
  // None of them is left at the moment.
  bool sold_out = false;
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

// Where inventory keeps what a limited sale has left, and the sale that a quota is of: INVALID_ARGUMENT,
// naming `field`, for another quota.
std::string QuotaOf(const FlashSaleId& sale);
absl::StatusOr<FlashSaleId> SaleOfQuota(std::string_view quota, std::string_view field);

SaleStatus StatusAt(const FlashSale& sale, absl::Time at);

// Completes `sale`, whose offers name SKUs, from its product: the ids of the variants. It is scheduled at
// `now`; a start of absl::InfinitePast() becomes that. INVALID_ARGUMENT names the field.
absl::Status Schedule(FlashSale& sale, const Product& product, absl::Time now);

// Ends a sale now, or keeps it from beginning. FAILED_PRECONDITION, reason SALE_OVER.
absl::Status Cancel(FlashSale& sale, absl::Time now);

// Whether an override may be set for `variant` at its valid_from. INVALID_ARGUMENT names the field.
absl::Status CheckOverride(const PriceOverride& wanted, const Variant& variant);

}  // namespace bv::product
