// The search port: what rpc/ asks of an engine, whichever it is. An engine finds ids and counts; what
// products are is read from the tables.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "libs/async/task.h"
#include "libs/base/id.h"
#include "libs/base/money.h"
#include "libs/base/request_context.h"

namespace bv::product {

enum class SearchOrder { kRelevance, kNewest, kPriceUp, kPriceDown };

struct AttributeFilter {
  std::string name;
  std::string value;
};

// Minor units of the currency, both included.
struct PriceFilter {
  Currency currency;
  std::int64_t min = 0;
  std::int64_t max = kAmountMax;
};

// All that is given has to hold; the context says of which tenant. Found are ACTIVE products only.
struct SearchQuery {
  // As it was typed; empty for all.
  std::string text;
  // Code of a category; empty for all.
  std::string category;
  // Of several values of one name any will do.
  std::vector<AttributeFilter> attributes;
  // Of the lowest price; leaves products out that have none in this currency.
  std::optional<PriceFilter> price;
  // By relevance only with a text, by price only with a price.
  SearchOrder order = SearchOrder::kNewest;
  bool facets = false;
  // The cursor of the last hit of the page before; empty for the first page.
  std::string after;
  int limit = 0;
};

struct SearchHit {
  ProductId product;
  // Of the engine; printable, and only for the same query.
  std::string cursor;
};

struct CountOf {
  std::string name;
  std::int64_t count = 0;
};
struct CategoryCount {
  std::string code;
  std::string name;
  std::int64_t count = 0;
};
struct AttributeCounts {
  std::string name;
  std::vector<CountOf> values;
};
// Minor units, `below` not included; absent in the last one there can be.
struct PriceCount {
  std::int64_t from = 0;
  std::optional<std::int64_t> below;
  std::int64_t count = 0;
};

// Each the most frequent first, prices from the lowest to the highest.
struct SearchFacets {
  std::vector<CategoryCount> categories;
  std::vector<AttributeCounts> attributes;
  std::vector<PriceCount> prices;
};

struct SearchResult {
  std::vector<SearchHit> hits;
  std::int64_t total = 0;
  // There are more than `total`, and the facets are of as many only.
  bool total_is_lower_bound = false;
  SearchFacets facets;
};

// Thread safe.
class Search {
 public:
  virtual ~Search() = default;
  // INVALID_ARGUMENT names `category` when there is no such category, and `pageToken` when `after` is no
  // cursor.
  virtual async::Task<absl::StatusOr<SearchResult>> Find(const SearchQuery& query,
                                                         const RequestContext& context) = 0;
};

}  // namespace bv::product
