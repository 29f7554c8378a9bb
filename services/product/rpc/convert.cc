#include "services/product/rpc/convert.h"

#include <absl/strings/escaping.h>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/rpc/ids.h"
#include "libs/rpc/timestamp.h"

namespace bv::product {
namespace {

namespace common = commerce::common::v1;
namespace pb = commerce::product::v1;

constexpr int kPageSizeDefault = 20;
constexpr int kPageSizeMax = 100;
constexpr int kBatchMax = 100;

// The enumerations of domain and contract have the same order, the contract's with UNSPECIFIED before.
static_assert(static_cast<int>(ProductStatus::kArchived) + 1 == pb::PRODUCT_STATUS_ARCHIVED);
static_assert(static_cast<int>(VariantStatus::kArchived) + 1 == pb::VARIANT_STATUS_ARCHIVED);
static_assert(static_cast<int>(FulfillmentType::kDigital) + 1 == common::FULFILLMENT_TYPE_DIGITAL);

template <class Proto, class Domain>
Proto ToProtoEnum(Domain value) {
  return static_cast<Proto>(static_cast<int>(value) + 1);
}

// Absent for UNSPECIFIED. Over gRPC any number can come.
template <class Domain>
absl::StatusOr<std::optional<Domain>> FromProtoEnum(int value, Domain last, std::string_view names,
                                                    std::string_view field) {
  if (value == 0) return std::optional<Domain>();
  if (value < 0 || value > static_cast<int>(last) + 1) return InvalidValue(field, Concat("must be ", names));
  return std::optional<Domain>(static_cast<Domain>(value - 1));
}

absl::StatusOr<std::optional<ProductStatus>> StatusFromProto(int status) {
  return FromProtoEnum(status, ProductStatus::kArchived, "DRAFT, ACTIVE or ARCHIVED", "status");
}

absl::StatusOr<std::optional<FulfillmentType>> FulfillmentFromProto(int type, std::string_view field) {
  return FromProtoEnum(type, FulfillmentType::kDigital, "PHYSICAL or DIGITAL", field);
}

absl::StatusOr<Variant> FromProto(const pb::NewVariant& from, const std::string& prefix) {
  Variant variant{.id = VariantId::New()};
  ASSIGN_OR_RETURN(variant.sku, SkuCode::Parse(from.sku(), prefix + "sku"));
  variant.price.minor_units = from.price();
  ASSIGN_OR_RETURN(variant.price.currency, Currency::Parse(from.currency(), prefix + "currency"));
  if (from.has_compare_at_price()) variant.compare_at_price = from.compare_at_price();
  ASSIGN_OR_RETURN(const auto fulfillment,
                   FulfillmentFromProto(from.fulfillment_type(), prefix + "fulfillmentType"));
  variant.fulfillment = fulfillment.value_or(FulfillmentType::kPhysical);
  return variant;
}

absl::StatusOr<VariantChange> FromProto(const pb::VariantChange& from, const std::string& prefix) {
  VariantChange change{.new_id = VariantId::New()};
  ASSIGN_OR_RETURN(change.sku, SkuCode::Parse(from.sku(), prefix + "sku"));
  if (from.has_price()) change.price = from.price();
  if (!from.currency().empty()) {
    ASSIGN_OR_RETURN(change.currency, Currency::Parse(from.currency(), prefix + "currency"));
  }
  if (from.has_compare_at_price()) change.compare_at_price = from.compare_at_price();
  ASSIGN_OR_RETURN(change.fulfillment,
                   FulfillmentFromProto(from.fulfillment_type(), prefix + "fulfillmentType"));
  ASSIGN_OR_RETURN(change.status, FromProtoEnum(from.status(), VariantStatus::kArchived, "ACTIVE or ARCHIVED",
                                                prefix + "status"));
  return change;
}

absl::StatusOr<VariantRef> FromProto(const pb::VariantRef& from, const std::string& prefix) {
  switch (from.ref_case()) {
    case pb::VariantRef::kSku:
      return SkuCode::Parse(from.sku(), prefix + ".sku");
    case pb::VariantRef::kProductId:
      return ProductId::Parse(from.product_id(), prefix + ".productId");
    case pb::VariantRef::REF_NOT_SET:
      break;
  }
  return InvalidValue(prefix, "give sku or productId");
}

pb::ResolvedVariant::Outcome ToProto(Outcome outcome) {
  switch (outcome) {
    case Outcome::kSellable:
      return pb::ResolvedVariant::OUTCOME_SELLABLE;
    case Outcome::kAmbiguous:
      return pb::ResolvedVariant::OUTCOME_AMBIGUOUS;
    case Outcome::kNotSold:
      return pb::ResolvedVariant::OUTCOME_NOT_SOLD;
    case Outcome::kNotFound:
      break;
  }
  return pb::ResolvedVariant::OUTCOME_NOT_FOUND;
}

std::string PrefixOf(int index) {
  return Concat("variants[", index, "].");
}

// A page token is the id of the last product of the page before, encoded so that nobody builds on its form.
absl::StatusOr<ProductId> FromPageToken(const std::string& token) {
  if (token.empty()) return ProductId();
  std::string id;
  if (absl::WebSafeBase64Unescape(token, &id)) {
    if (absl::StatusOr<ProductId> last = ProductId::Parse(id); last.ok()) return last;
  }
  return InvalidValue("pageToken", "must be the nextPageToken of the page before");
}

}  // namespace

absl::StatusOr<Product> FromProto(const pb::CreateProductRequest& request) {
  Product product{.id = ProductId::New(),
                  .title = request.title(),
                  .description = request.description(),
                  .vendor_id = request.vendor_id(),
                  .attributes = {request.attributes().begin(), request.attributes().end()},
                  .categories = {request.categories().begin(), request.categories().end()}};
  ASSIGN_OR_RETURN(const auto status, StatusFromProto(request.status()));
  product.status = status.value_or(ProductStatus::kActive);
  for (int i = 0; i < request.variants_size(); ++i) {
    ASSIGN_OR_RETURN(Variant variant, FromProto(request.variants(i), PrefixOf(i)));
    product.variants.push_back(std::move(variant));
  }
  RETURN_IF_ERROR(CheckNew(product));
  return product;
}

absl::StatusOr<ProductChange> FromProto(const pb::UpdateProductRequest& request) {
  ProductChange change;
  if (request.has_title()) change.title = request.title();
  if (request.has_description()) change.description = request.description();
  if (request.has_vendor_id()) change.vendor_id = request.vendor_id();
  ASSIGN_OR_RETURN(change.status, StatusFromProto(request.status()));
  for (int i = 0; i < request.variants_size(); ++i) {
    ASSIGN_OR_RETURN(VariantChange variant, FromProto(request.variants(i), PrefixOf(i)));
    change.variants.push_back(std::move(variant));
  }
  change.attributes.insert(request.attributes().begin(), request.attributes().end());
  change.add_categories.assign(request.add_categories().begin(), request.add_categories().end());
  change.remove_categories.assign(request.remove_categories().begin(), request.remove_categories().end());
  if (request.has_expected_version()) change.expected_version = request.expected_version();
  return change;
}

absl::StatusOr<ProductFilter> FromProto(const pb::ListProductsRequest& request, Role role) {
  ProductFilter filter{.shown_only = IsHidden(ProductStatus::kDraft, role)};
  filter.limit = request.page_size() == 0 ? kPageSizeDefault : request.page_size();
  if (filter.limit < 1 || filter.limit > kPageSizeMax)
    return InvalidValue("pageSize", Concat("must be 1 to ", kPageSizeMax));
  ASSIGN_OR_RETURN(filter.before, FromPageToken(request.page_token()));
  ASSIGN_OR_RETURN(filter.status, StatusFromProto(request.status()));
  RETURN_IF_ERROR(CheckText(request.title(), 0, kTitleMax, "title"));
  filter.title_part = request.title();
  if (!request.sku().empty()) {
    ASSIGN_OR_RETURN(filter.sku, SkuCode::Parse(request.sku()));
  }
  return filter;
}

absl::StatusOr<std::vector<ProductId>> FromProto(const pb::BatchGetProductsRequest& request) {
  return rpc::IdsFromProto<ProductId>(request.product_ids(), kBatchMax, "productIds");
}

absl::StatusOr<std::vector<VariantRef>> FromProto(const pb::ResolveVariantsRequest& request) {
  RETURN_IF_ERROR(CheckRefCount(static_cast<std::size_t>(request.variants_size())));
  std::vector<VariantRef> refs;
  refs.reserve(static_cast<std::size_t>(request.variants_size()));
  for (int i = 0; i < request.variants_size(); ++i) {
    ASSIGN_OR_RETURN(VariantRef ref, FromProto(request.variants(i), Concat("variants[", i, "]")));
    refs.push_back(std::move(ref));
  }
  return refs;
}

absl::StatusOr<absl::Time> TimeFromProto(const google::protobuf::Timestamp& time, std::string_view field) {
  constexpr std::int64_t kLastSecond = 253'402'300'799;  // of the year 9999
  if (time.seconds() < 1 || time.seconds() > kLastSecond || time.nanos() < 0 || time.nanos() > 999'999'999)
    return InvalidValue(field, "must be a time between the years 1970 and 9999");
  return absl::FromUnixMicros(absl::ToUnixMicros(rpc::FromTimestamp(time)));
}

bool IsHidden(ProductStatus status, Role role) {
  const bool shopper = role == Role::kNone || role == Role::kCustomer;
  return shopper && status == ProductStatus::kDraft;
}

pb::Product ToProto(const Product& product) {
  pb::Product result;
  result.set_product_id(product.id.str());
  result.set_title(product.title);
  result.set_description(product.description);
  result.set_status(ToProtoEnum<pb::ProductStatus>(product.status));
  for (const Variant& variant : product.variants) {
    pb::Variant* to = result.add_variants();
    to->set_variant_id(variant.id.str());
    to->set_sku(variant.sku.str());
    to->set_price(variant.price.minor_units);
    to->set_currency(std::string(variant.price.currency.code()));
    if (variant.compare_at_price) to->set_compare_at_price(*variant.compare_at_price);
    to->set_fulfillment_type(ToProtoEnum<common::FulfillmentType>(variant.fulfillment));
    to->set_status(ToProtoEnum<pb::VariantStatus>(variant.status));
  }
  result.set_version(product.version);
  *result.mutable_created_at() = rpc::ToTimestamp(product.created_at);
  *result.mutable_updated_at() = rpc::ToTimestamp(product.updated_at);
  result.set_vendor_id(product.vendor_id);
  result.mutable_attributes()->insert(product.attributes.begin(), product.attributes.end());
  result.mutable_categories()->Assign(product.categories.begin(), product.categories.end());
  return result;
}

pb::ResolvedVariant ToProto(const Offer& offer) {
  pb::ResolvedVariant result;
  result.set_outcome(ToProto(offer.outcome));
  if (!offer.variant) return result;
  const Candidate& variant = *offer.variant;
  result.set_product_id(variant.product.str());
  result.set_variant_id(variant.variant.str());
  result.set_sku(variant.sku.str());
  result.set_title(variant.title);
  result.set_vendor_id(variant.vendor_id);
  result.set_product_version(variant.product_version);
  if (offer.outcome != Outcome::kSellable) return result;
  result.set_price(variant.price.price.minor_units);
  result.set_currency(std::string(variant.price.price.currency.code()));
  result.set_fulfillment_type(ToProtoEnum<common::FulfillmentType>(variant.fulfillment));
  *result.mutable_valid_from() = rpc::ToTimestamp(variant.price.valid_from);
  if (variant.price.valid_until != absl::InfiniteFuture())
    *result.mutable_valid_until() = rpc::ToTimestamp(variant.price.valid_until);
  result.set_flash_sale_id(variant.sale.str());
  if (variant.limited) result.set_quota(QuotaOf(variant.sale));
  return result;
}

std::string ToPageToken(const ProductId& last) {
  return absl::WebSafeBase64Escape(last.str());
}

}  // namespace bv::product
