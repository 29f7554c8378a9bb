// protobuf ↔ domain, with the names of the API in the errors.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <vector>

#include "commerce/product/v1/service.pb.h"
#include "libs/base/request_context.h"
#include "services/product/domain/offer.h"
#include "services/product/domain/product.h"
#include "services/product/store/product_rows.h"

namespace bv::product {

// A page ends early rather than exceed what gRPC clients take by default, 4 MiB.
inline constexpr std::size_t kPageBytesMax = 2 << 20;

// With new ids; has passed CheckNew.
absl::StatusOr<Product> FromProto(const commerce::product::v1::CreateProductRequest& request);
absl::StatusOr<ProductChange> FromProto(const commerce::product::v1::UpdateProductRequest& request);
// limit is the size of the page.
absl::StatusOr<ProductFilter> FromProto(const commerce::product::v1::ListProductsRequest& request, Role role);
// 1 to 100.
absl::StatusOr<std::vector<ProductId>> FromProto(
    const commerce::product::v1::BatchGetProductsRequest& request);
absl::StatusOr<std::vector<VariantRef>> FromProto(
    const commerce::product::v1::ResolveVariantsRequest& request);

// INVALID_ARGUMENT unless it is a time after 1970 that PostgreSQL keeps, whose microseconds it has.
absl::StatusOr<absl::Time> TimeFromProto(const google::protobuf::Timestamp& time, std::string_view field);

// What shoppers do not get to see.
bool IsHidden(ProductStatus status, Role role);

commerce::product::v1::Product ToProto(const Product& product);
commerce::product::v1::ResolvedVariant ToProto(const Offer& offer);
// Names `last` as the last product of its page.
std::string ToPageToken(const ProductId& last);

}  // namespace bv::product
