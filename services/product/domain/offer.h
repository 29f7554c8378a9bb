// What order and cart get to hear of a variant; pure.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "services/product/domain/flash_sale.h"
#include "services/product/domain/pricing.h"
#include "services/product/domain/product.h"

namespace bv::product {

inline constexpr std::size_t kRefsMax = 200;

// A variant by its SKU, or by its product where that leaves no choice.
using VariantRef = std::variant<SkuCode, ProductId>;

// How far from now, by the database's clock, prices may be asked for: what an order or a cart needs that was
// begun a moment ago.
inline constexpr absl::Duration kPriceTimeMax = absl::Minutes(5);

// A variant that a reference may mean, with its price.
struct Candidate {
  ProductId product;
  std::string title;
  std::string vendor_id;
  ProductStatus product_status = ProductStatus::kActive;
  std::int64_t product_version = 1;
  VariantId variant;
  SkuCode sku;
  VariantStatus status = VariantStatus::kActive;
  FulfillmentType fulfillment = FulfillmentType::kPhysical;
  EffectivePrice price;
  // The sale that the price is of; empty for any other.
  FlashSaleId sale;
  // That sale has a limit.
  bool limited = false;
};

enum class Outcome { kSellable, kNotFound, kAmbiguous, kNotSold };

struct Offer {
  Outcome outcome = Outcome::kNotFound;
  // Set for kSellable and kNotSold.
  std::optional<Candidate> variant;
};

// INVALID_ARGUMENT unless there are 1 to kRefsMax.
absl::Status CheckRefCount(std::size_t count);

// Of several variants of a product, the one that is ACTIVE is meant; `candidates` holds those that are first,
// then the others. Two of each are enough to decide.
Offer Choose(const std::vector<Candidate>& candidates);

}  // namespace bv::product
