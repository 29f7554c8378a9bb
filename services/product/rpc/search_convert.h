// protobuf ↔ the search port, with the names of the API in the errors.
#pragma once

#include <absl/status/statusor.h>

#include "commerce/product/v1/service.pb.h"
#include "services/product/search/search.h"

namespace bv::product {

absl::StatusOr<SearchQuery> FromProto(const commerce::product::v1::SearchProductsRequest& request);
// Without products and page token.
commerce::product::v1::SearchProductsResponse ToProto(const SearchResult& result, const SearchQuery& query);
// Of the page after the one that ends with `last`.
std::string ToPageToken(const SearchHit& last);

}  // namespace bv::product
