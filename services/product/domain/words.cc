#include "services/product/domain/words.h"

#include <algorithm>
#include <iterator>

namespace bv::product {
namespace {

// In the order of the enumerations.
constexpr std::string_view kProductStatus[] = {"DRAFT", "ACTIVE", "ARCHIVED"};
constexpr std::string_view kVariantStatus[] = {"ACTIVE", "ARCHIVED"};
constexpr std::string_view kFulfillmentType[] = {"PHYSICAL", "DIGITAL"};
constexpr std::string_view kPriceSource[] = {"CATALOG", "OVERRIDE", "FLASH_SALE"};

template <class Enum, class Words>
Enum Find(const Words& words, std::string_view word) {
  return static_cast<Enum>(std::ranges::find(words, word) - std::begin(words));
}

}  // namespace

std::string_view Word(ProductStatus status) {
  return kProductStatus[static_cast<int>(status)];
}
std::string_view Word(VariantStatus status) {
  return kVariantStatus[static_cast<int>(status)];
}
std::string_view Word(FulfillmentType type) {
  return kFulfillmentType[static_cast<int>(type)];
}
std::string_view Word(PriceSource source) {
  return kPriceSource[static_cast<int>(source)];
}

ProductStatus ProductStatusOf(std::string_view word) {
  return Find<ProductStatus>(kProductStatus, word);
}
VariantStatus VariantStatusOf(std::string_view word) {
  return Find<VariantStatus>(kVariantStatus, word);
}
FulfillmentType FulfillmentTypeOf(std::string_view word) {
  return Find<FulfillmentType>(kFulfillmentType, word);
}

}  // namespace bv::product
