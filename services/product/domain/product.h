// What a product is, and how it may change; pure.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/id.h"
#include "libs/base/money.h"
#include "libs/base/values.h"

namespace bv::product {

inline constexpr std::size_t kTitleMax = 200;
inline constexpr std::size_t kDescriptionMax = 10'000;
inline constexpr std::size_t kVendorIdMax = 64;
// Of one product, and in one change.
inline constexpr std::size_t kVariantsMax = 100;
inline constexpr std::size_t kAttributesMax = 50;
inline constexpr std::size_t kAttributeNameMax = 64;
inline constexpr std::size_t kAttributeValueMax = 100;
inline constexpr std::size_t kCategoriesOfProductMax = 20;

enum class ProductStatus { kDraft, kActive, kArchived };
enum class VariantStatus { kActive, kArchived };
enum class FulfillmentType { kPhysical, kDigital };

struct Variant {
  VariantId id;
  SkuCode sku;
  Money price;
  // Minor units of the price's currency; greater than the price.
  std::optional<std::int64_t> compare_at_price;
  FulfillmentType fulfillment = FulfillmentType::kPhysical;
  VariantStatus status = VariantStatus::kActive;

  friend bool operator==(const Variant&, const Variant&) = default;
};

struct Product {
  ProductId id;
  std::string title;
  std::string description;
  // kVendorIdMax of A-Z a-z 0-9 _ - at most; empty for the shop itself.
  std::string vendor_id;
  ProductStatus status = ProductStatus::kActive;
  // What shoppers filter by: "color" → "red". Names are kAttributeNameMax of A-Z a-z 0-9 . _ - at most.
  std::map<std::string, std::string> attributes;
  // Codes; of a stored product sorted, each once.
  std::vector<std::string> categories;
  std::vector<Variant> variants;
  std::int64_t version = 1;
  absl::Time created_at;
  absl::Time updated_at;
};

// What is given changes, the rest stays.
struct VariantChange {
  // Of the variant it is about; a SKU that the product does not have adds a variant.
  SkuCode sku;
  std::optional<std::int64_t> price;
  std::optional<Currency> currency;
  // 0 removes it.
  std::optional<std::int64_t> compare_at_price;
  std::optional<FulfillmentType> fulfillment;
  std::optional<VariantStatus> status;
  // The id of an added variant.
  VariantId new_id;
};

struct ProductChange {
  std::optional<std::string> title;
  std::optional<std::string> description;
  std::optional<std::string> vendor_id;
  std::optional<ProductStatus> status;
  // An empty value removes one.
  std::map<std::string, std::string> attributes;
  std::vector<std::string> add_categories;
  std::vector<std::string> remove_categories;
  std::vector<VariantChange> variants;
  // The version that the caller has seen.
  std::optional<std::int64_t> expected_version;
};

// A product after a change, and what has to be written; numbers are indexes of product.variants.
struct Revision {
  Product product;
  bool changed = false;
  // Codes of categories.
  std::vector<std::string> entered;
  std::vector<std::string> left;
  std::vector<std::size_t> added;
  // Something else than the price.
  std::vector<std::size_t> altered;
  // Another price or currency.
  std::vector<std::size_t> repriced;
};

// INVALID_ARGUMENT unless `name` may be one.
absl::Status CheckAttributeName(std::string_view name, std::string_view field);

// ALREADY_EXISTS, reason SKU_TAKEN, naming variant `index` of the request.
absl::Status SkuTaken(const SkuCode& sku, std::size_t index);

// Whether `product` may be created. INVALID_ARGUMENT names the field; ALREADY_EXISTS, reason SKU_TAKEN, a SKU
// that comes twice.
absl::Status CheckNew(const Product& product);

// `product` after `change`; version and times are those of before. ABORTED, reason VERSION_CONFLICT, unless
// the product is at the expected version; INVALID_ARGUMENT names the field of the change; ALREADY_EXISTS,
// reason SKU_TAKEN, a SKU that comes twice in it.
absl::StatusOr<Revision> Revise(const Product& product, const ProductChange& change);

}  // namespace bv::product
