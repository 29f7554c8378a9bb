#include "services/product/rpc/search_convert.h"

#include <absl/strings/escaping.h>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/base/values.h"
#include "services/product/domain/category.h"
#include "services/product/domain/product.h"

namespace bv::product {
namespace {

namespace pb = commerce::product::v1;

constexpr int kPageSizeDefault = 20;
constexpr int kPageSizeMax = 100;
constexpr std::size_t kTextMax = 200;
constexpr int kFiltersMax = 20;

// The enumerations of port and contract have the same order, the contract's with UNSPECIFIED before.
static_assert(static_cast<int>(SearchOrder::kPriceDown) + 1 == pb::SEARCH_ORDER_PRICE_DOWN);

absl::StatusOr<AttributeFilter> AttributeFromProto(const std::string& text, int index) {
  const std::string field = Concat("attributes[", index, "]");
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos)
    return InvalidValue(field, "must be a name, a colon and a value: color:red");
  AttributeFilter filter{.name = text.substr(0, colon), .value = text.substr(colon + 1)};
  RETURN_IF_ERROR(CheckAttributeName(filter.name, field));
  RETURN_IF_ERROR(CheckText(filter.value, 1, kAttributeValueMax, field));
  return filter;
}

absl::StatusOr<std::int64_t> AmountFromProto(std::int64_t amount, std::string_view field) {
  if (amount < 0 || amount > kAmountMax)
    return InvalidValue(field, Concat("must be 0 to ", kAmountMax, " minor units"));
  return amount;
}

absl::StatusOr<std::optional<PriceFilter>> PriceFromProto(const pb::SearchProductsRequest& request) {
  if (request.currency().empty()) {
    if (request.has_min_price() || request.has_max_price())
      return InvalidValue("currency", "is required with minPrice and maxPrice");
    return std::optional<PriceFilter>();
  }
  PriceFilter price;
  ASSIGN_OR_RETURN(price.currency, Currency::Parse(request.currency(), "currency"));
  if (request.has_min_price()) {
    ASSIGN_OR_RETURN(price.min, AmountFromProto(request.min_price(), "minPrice"));
  }
  if (request.has_max_price()) {
    ASSIGN_OR_RETURN(price.max, AmountFromProto(request.max_price(), "maxPrice"));
  }
  if (price.min > price.max) return InvalidValue("maxPrice", "must not be less than minPrice");
  return std::optional<PriceFilter>(price);
}

absl::StatusOr<SearchOrder> OrderFromProto(int order, const SearchQuery& query) {
  if (order == pb::SEARCH_ORDER_UNSPECIFIED)
    return query.text.empty() ? SearchOrder::kNewest : SearchOrder::kRelevance;
  if (order < 0 || order > pb::SEARCH_ORDER_PRICE_DOWN)
    return InvalidValue("order", "must be RELEVANCE, NEWEST, PRICE_UP or PRICE_DOWN");
  const auto wanted = static_cast<SearchOrder>(order - 1);
  if (wanted == SearchOrder::kRelevance && query.text.empty())
    return InvalidValue("order", "RELEVANCE is for searches with q");
  if ((wanted == SearchOrder::kPriceUp || wanted == SearchOrder::kPriceDown) && !query.price)
    return InvalidValue("currency", "is required with an order by price");
  return wanted;
}

}  // namespace

absl::StatusOr<SearchQuery> FromProto(const pb::SearchProductsRequest& request) {
  SearchQuery query{.text = request.q(), .category = request.category(), .facets = request.facets()};
  RETURN_IF_ERROR(CheckText(query.text, 0, kTextMax, "q"));
  if (!query.category.empty()) RETURN_IF_ERROR(CheckCategoryCode(query.category, "category"));
  if (request.attributes_size() > kFiltersMax)
    return InvalidValue("attributes", Concat("must be at most ", kFiltersMax));
  for (int i = 0; i < request.attributes_size(); ++i) {
    ASSIGN_OR_RETURN(AttributeFilter filter, AttributeFromProto(request.attributes(i), i));
    query.attributes.push_back(std::move(filter));
  }
  ASSIGN_OR_RETURN(query.price, PriceFromProto(request));
  ASSIGN_OR_RETURN(query.order, OrderFromProto(request.order(), query));
  query.limit = request.page_size() == 0 ? kPageSizeDefault : request.page_size();
  if (query.limit < 1 || query.limit > kPageSizeMax)
    return InvalidValue("pageSize", Concat("must be 1 to ", kPageSizeMax));
  if (!request.page_token().empty() &&
      (!absl::WebSafeBase64Unescape(request.page_token(), &query.after) || query.after.empty())) {
    return InvalidValue("pageToken", "must be the nextPageToken of the page before");
  }
  return query;
}

pb::SearchProductsResponse ToProto(const SearchResult& result, const SearchQuery& query) {
  pb::SearchProductsResponse response;
  response.set_total(result.total);
  response.set_total_is_lower_bound(result.total_is_lower_bound);
  if (!query.facets) return response;
  pb::SearchFacets& facets = *response.mutable_facets();
  for (const CategoryCount& each : result.facets.categories) {
    auto* category = facets.add_categories();
    category->set_code(each.code);
    category->set_name(each.name);
    category->set_count(each.count);
  }
  for (const AttributeCounts& each : result.facets.attributes) {
    auto* attribute = facets.add_attributes();
    attribute->set_name(each.name);
    for (const CountOf& value : each.values) {
      auto* counted = attribute->add_values();
      counted->set_value(value.name);
      counted->set_count(value.count);
    }
  }
  for (const PriceCount& each : result.facets.prices) {
    auto* price = facets.add_prices();
    price->set_currency(std::string(query.price->currency.code()));
    price->set_from(each.from);
    if (each.below) price->set_below(*each.below);
    price->set_count(each.count);
  }
  return response;
}

std::string ToPageToken(const SearchHit& last) {
  return absl::WebSafeBase64Escape(last.cursor);
}

}  // namespace bv::product
