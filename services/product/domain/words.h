// The words by which rows and events name the states of a product and the sources of its prices.
#pragma once

#include <string_view>

#include "services/product/domain/pricing.h"
#include "services/product/domain/product.h"

namespace bv::product {

std::string_view Word(ProductStatus status);
std::string_view Word(VariantStatus status);
std::string_view Word(FulfillmentType type);
std::string_view Word(PriceSource source);

// Of words of the own database.
ProductStatus ProductStatusOf(std::string_view word);
VariantStatus VariantStatusOf(std::string_view word);
FulfillmentType FulfillmentTypeOf(std::string_view word);

}  // namespace bv::product
