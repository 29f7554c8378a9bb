// What order and cart get to hear of a variant; pure.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "services/product/domain/product.h"

namespace bv::product {

inline constexpr std::size_t kRefsMax = 200;

// A variant by its SKU, or by its product where that leaves no choice.
using VariantRef = std::variant<SkuCode, ProductId>;

// A variant that a reference may mean, with the price of now.
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
  Money price;
  absl::Time price_valid_from;
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
