#include "services/product/domain/product.h"

#include <absl/strings/ascii.h>

#include <algorithm>
#include <set>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "services/product/domain/category.h"

namespace bv::product {
namespace {

std::string FieldOf(std::size_t index, std::string_view name) {
  return Concat("variants[", index, "].", name);
}

absl::Status CheckTitle(const std::string& title) {
  return CheckText(title, 1, kTitleMax, "title");
}

absl::Status CheckDescription(const std::string& description) {
  return CheckText(description, 0, kDescriptionMax, "description");
}

absl::Status CheckVendorId(const std::string& vendor_id) {
  const auto allowed = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-';
  };
  if (vendor_id.size() > kVendorIdMax || !std::ranges::all_of(vendor_id, allowed)) {
    return InvalidValue("vendorId",
                        Concat("must be at most ", kVendorIdMax, " characters of A-Z a-z 0-9 _ -"));
  }
  return absl::OkStatus();
}

// `value_length_min` is 0 where an empty value removes an attribute.
absl::Status CheckAttributes(const std::map<std::string, std::string>& attributes,
                             std::size_t value_length_min) {
  if (attributes.size() > kAttributesMax)
    return InvalidValue("attributes", Concat("must be at most ", kAttributesMax));
  for (const auto& [name, value] : attributes) {
    RETURN_IF_ERROR(CheckAttributeName(name, "attributes"));
    RETURN_IF_ERROR(CheckText(value, value_length_min, kAttributeValueMax, Concat("attributes.", name)));
  }
  return absl::OkStatus();
}

absl::Status CheckCategoryCodes(const std::vector<std::string>& codes, std::string_view field) {
  if (codes.size() > kCategoriesOfProductMax)
    return InvalidValue(field, Concat("must be at most ", kCategoriesOfProductMax, " categories"));
  for (std::size_t i = 0; i < codes.size(); ++i)
    RETURN_IF_ERROR(CheckCategoryCode(codes[i], Concat(field, "[", i, "]")));
  return absl::OkStatus();
}

absl::Status ChangeAttributes(const ProductChange& change, Product& product) {
  RETURN_IF_ERROR(CheckAttributes(change.attributes, 0));
  for (const auto& [name, value] : change.attributes) {
    if (value.empty()) {
      product.attributes.erase(name);
    } else {
      product.attributes[name] = value;
    }
  }
  return CheckAttributes(product.attributes, 1);
}

absl::Status ChangeCategories(const ProductChange& change, Revision& revision) {
  RETURN_IF_ERROR(CheckCategoryCodes(change.add_categories, "addCategories"));
  RETURN_IF_ERROR(CheckCategoryCodes(change.remove_categories, "removeCategories"));
  std::set<std::string> codes(revision.product.categories.begin(), revision.product.categories.end());
  for (std::size_t i = 0; i < change.remove_categories.size(); ++i) {
    const std::string& code = change.remove_categories[i];
    if (std::ranges::find(change.add_categories, code) != change.add_categories.end())
      return InvalidValue(Concat("removeCategories[", i, "]"), "is among those to be added, too");
    if (codes.erase(code) > 0) revision.left.push_back(code);
  }
  for (const std::string& code : change.add_categories) {
    if (codes.insert(code).second) revision.entered.push_back(code);
  }
  if (codes.size() > kCategoriesOfProductMax) {
    return InvalidValue("addCategories",
                        Concat("a product is in at most ", kCategoriesOfProductMax, " categories"));
  }
  revision.product.categories.assign(codes.begin(), codes.end());
  return absl::OkStatus();
}

// The amounts of a variant; `index` is its place in the request.
absl::Status CheckAmounts(const Variant& variant, std::size_t index) {
  const std::int64_t price = variant.price.minor_units;
  if (price < 0 || price > kAmountMax) {
    return InvalidValue(FieldOf(index, "price"), Concat("must be 0 to ", kAmountMax, " minor units"));
  }
  if (!variant.compare_at_price) return absl::OkStatus();
  if (*variant.compare_at_price <= price || *variant.compare_at_price > kAmountMax) {
    return InvalidValue(FieldOf(index, "compareAtPrice"),
                        Concat("must be greater than the price and at most ", kAmountMax, " minor units"));
  }
  return absl::OkStatus();
}

absl::StatusOr<Variant> NewVariant(const VariantChange& change, std::size_t index) {
  if (!change.price) {
    return InvalidValue(FieldOf(index, "price"), Concat("the product has no variant ", change.sku.str(),
                                                        ", and a new one needs a price"));
  }
  if (!change.currency) return InvalidValue(FieldOf(index, "currency"), "is required with a price");
  Variant variant{.id = change.new_id, .sku = change.sku, .price = {*change.price, *change.currency}};
  if (change.compare_at_price.value_or(0) != 0) variant.compare_at_price = change.compare_at_price;
  variant.fulfillment = change.fulfillment.value_or(variant.fulfillment);
  variant.status = change.status.value_or(variant.status);
  RETURN_IF_ERROR(CheckAmounts(variant, index));
  return variant;
}

absl::StatusOr<Variant> ChangedVariant(const Variant& variant, const VariantChange& change,
                                       std::size_t index) {
  Variant after = variant;
  if (change.price) {
    if (!change.currency) return InvalidValue(FieldOf(index, "currency"), "is required with a price");
    after.price = {*change.price, *change.currency};
  } else if (change.currency && *change.currency != variant.price.currency) {
    return InvalidValue(
        FieldOf(index, "currency"),
        Concat("is not that of the price, ", variant.price.currency.code(), "; change both together"));
  }
  if (change.compare_at_price) {
    after.compare_at_price = *change.compare_at_price == 0 ? std::nullopt : change.compare_at_price;
  } else if (after.compare_at_price && after.price.currency != variant.price.currency) {
    return InvalidValue(FieldOf(index, "compareAtPrice"),
                        "is of the old currency; give it anew, or 0 to remove it");
  }
  after.fulfillment = change.fulfillment.value_or(after.fulfillment);
  after.status = change.status.value_or(after.status);
  RETURN_IF_ERROR(CheckAmounts(after, index));
  return after;
}

bool DiffersBesidePrice(Variant a, const Variant& b) {
  a.price = b.price;
  return a != b;
}

}  // namespace

absl::Status CheckAttributeName(std::string_view name, std::string_view field) {
  const auto allowed = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-';
  };
  if (name.empty() || name.size() > kAttributeNameMax || !std::ranges::all_of(name, allowed)) {
    return InvalidValue(field, Concat("names of attributes must be 1 to ", kAttributeNameMax,
                                      " characters of A-Z a-z 0-9 . _ -"));
  }
  return absl::OkStatus();
}

absl::Status SkuTaken(const SkuCode& sku, std::size_t index) {
  return Error(absl::StatusCode::kAlreadyExists, "SKU_TAKEN",
               Concat("another variant has the SKU ", sku.str()), FieldOf(index, "sku"));
}

absl::Status CheckNew(const Product& product) {
  RETURN_IF_ERROR(CheckTitle(product.title));
  RETURN_IF_ERROR(CheckDescription(product.description));
  RETURN_IF_ERROR(CheckVendorId(product.vendor_id));
  RETURN_IF_ERROR(CheckAttributes(product.attributes, 1));
  RETURN_IF_ERROR(CheckCategoryCodes(product.categories, "categories"));
  if (product.variants.empty() || product.variants.size() > kVariantsMax) {
    return InvalidValue("variants", Concat("must be 1 to ", kVariantsMax, " variants"));
  }
  std::set<SkuCode> skus;
  for (std::size_t i = 0; i < product.variants.size(); ++i) {
    RETURN_IF_ERROR(CheckAmounts(product.variants[i], i));
    if (!skus.insert(product.variants[i].sku).second) return SkuTaken(product.variants[i].sku, i);
  }
  return absl::OkStatus();
}

absl::StatusOr<Revision> Revise(const Product& product, const ProductChange& change) {
  if (change.expected_version && *change.expected_version != product.version) {
    return Error(
        absl::StatusCode::kAborted, "VERSION_CONFLICT",
        Concat("the product is at version ", product.version, "; read it again and repeat the change"),
        "expectedVersion");
  }
  if (change.title) RETURN_IF_ERROR(CheckTitle(*change.title));
  if (change.description) RETURN_IF_ERROR(CheckDescription(*change.description));
  if (change.vendor_id) RETURN_IF_ERROR(CheckVendorId(*change.vendor_id));
  if (change.variants.size() > kVariantsMax) {
    return InvalidValue("variants", Concat("must be at most ", kVariantsMax, " variants"));
  }

  Revision revision{.product = product};
  Product& after = revision.product;
  after.title = change.title.value_or(product.title);
  after.description = change.description.value_or(product.description);
  after.vendor_id = change.vendor_id.value_or(product.vendor_id);
  after.status = change.status.value_or(product.status);
  RETURN_IF_ERROR(ChangeAttributes(change, after));
  RETURN_IF_ERROR(ChangeCategories(change, revision));

  std::set<SkuCode> skus;
  for (std::size_t i = 0; i < change.variants.size(); ++i) {
    const VariantChange& wanted = change.variants[i];
    if (!skus.insert(wanted.sku).second) return SkuTaken(wanted.sku, i);
    const auto found = std::ranges::find(product.variants, wanted.sku, &Variant::sku);
    if (found == product.variants.end()) {
      if (after.variants.size() == kVariantsMax) {
        return InvalidValue(FieldOf(i, "sku"), Concat("a product has at most ", kVariantsMax, " variants"));
      }
      ASSIGN_OR_RETURN(Variant added, NewVariant(wanted, i));
      revision.added.push_back(after.variants.size());
      after.variants.push_back(std::move(added));
      continue;
    }
    const auto position = static_cast<std::size_t>(found - product.variants.begin());
    ASSIGN_OR_RETURN(Variant changed, ChangedVariant(*found, wanted, i));
    if (changed.price != found->price) revision.repriced.push_back(position);
    if (DiffersBesidePrice(changed, *found)) revision.altered.push_back(position);
    after.variants[position] = std::move(changed);
  }
  revision.changed = after.title != product.title || after.description != product.description ||
                     after.vendor_id != product.vendor_id || after.status != product.status ||
                     after.attributes != product.attributes || !revision.entered.empty() ||
                     !revision.left.empty() || !revision.added.empty() || !revision.altered.empty() ||
                     !revision.repriced.empty();
  return revision;
}

}  // namespace bv::product
