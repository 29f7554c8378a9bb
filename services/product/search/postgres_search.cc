#include "services/product/search/postgres_search.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_join.h>

#include <algorithm>
#include <map>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "services/product/domain/search_words.h"
#include "services/product/store/category_rows.h"

namespace bv::product {
namespace {

using postgres::Statement;

constexpr std::size_t kAttributeNamesShown = 20;
constexpr std::size_t kAttributeValuesShown = 20;

// $1 what has to be in the document beside the text, a tsquery; $2 the words, $3 what makes the last of them
// the beginning of a word; $4 the order; $5 the currency, $6 and $7 the lowest and the highest price; $8 and
// $9 key and id of the last hit of the page before; $10 the size of the page.
//
// All conditions but the price are one of the index. The tenant is among them; `tenant_id = …` beside it
// would have the planner go through all of the tenant's rows.
#define BV_WEB "websearch_to_tsquery('words', $2)"
// What does not end with a word, since there is none or an excluded phrase at its end, has no word that is
// begun.
#define BV_TEXT "(" BV_WEB "::text || CASE right(" BV_WEB "::text, 1) WHEN '''' THEN $3 ELSE '' END)::tsquery"
#define BV_MATCHED                                                                                    \
  "matched AS MATERIALIZED ("                                                                         \
  "SELECT s.product_id, s.categories, s.attributes, (s.prices ->> $5)::bigint AS price, "             \
  "CASE $4 WHEN 'RELEVANCE' THEN ts_rank(s.document, " BV_TEXT                                        \
  ")::float8 "                                                                                        \
  "WHEN 'PRICE_UP' THEN -(s.prices ->> $5)::float8 WHEN 'PRICE_DOWN' THEN (s.prices ->> $5)::float8 " \
  "ELSE 0 END AS key "                                                                                \
  "FROM product_search s "                                                                            \
  "WHERE s.document @@ CASE WHEN $2 = '' THEN $1::tsquery "                                           \
  "WHEN numnode(" BV_WEB                                                                              \
  ") = 0 THEN '''=nothing'''::tsquery "                                                               \
  "ELSE $1::tsquery && " BV_TEXT                                                                      \
  " END "                                                                                             \
  "AND ($5 = '' OR (s.prices ->> $5)::bigint BETWEEN $6::bigint AND $7::bigint))"
#define BV_PAGE_AND_TOTAL                                                                   \
  "SELECT 'hit' AS kind, product_id AS name, key::text AS value, 0::bigint AS count FROM (" \
  "SELECT product_id, key FROM matched WHERE (key, product_id) < ($8::float8, $9) "         \
  "ORDER BY key DESC, product_id DESC LIMIT $10::int) AS page "                             \
  "UNION ALL SELECT 'total', '', '', count(*) FROM matched "

constexpr Statement kFind{"search_find", "WITH " BV_MATCHED BV_PAGE_AND_TOTAL};

// $11 how many matches are counted; $12 the steps of prices; $13 the tenant.
constexpr Statement kFindWithFacets{"search_find_with_facets", "WITH RECURSIVE " BV_MATCHED R"sql(,
  counted AS MATERIALIZED (SELECT * FROM matched LIMIT $11::bigint),
  -- Products of the same categories are few kinds. Each counts in all categories above its own, in each once.
  kind (number, categories, count) AS (
    SELECT row_number() OVER (), categories, count(*) FROM counted GROUP BY categories
  ),
  place (kind, count, code, parent) AS (
    SELECT k.number, k.count, c.code, c.parent
    FROM kind k CROSS JOIN LATERAL unnest(k.categories) AS u (code)
    CROSS JOIN LATERAL (SELECT code, parent FROM category WHERE tenant_id = $13 AND code = u.code OFFSET 0) AS c
    UNION
    SELECT p.kind, p.count, c.code, c.parent
    FROM place p
    CROSS JOIN LATERAL (SELECT code, parent FROM category WHERE tenant_id = $13 AND code = p.parent OFFSET 0) AS c
  )
)sql" BV_PAGE_AND_TOTAL R"sql(
  UNION ALL (
    SELECT 'category', c.code, c.name, n.count
    FROM (SELECT code, sum(count)::bigint AS count FROM place GROUP BY code) AS n
    CROSS JOIN LATERAL (SELECT code, name FROM category WHERE tenant_id = $13 AND code = n.code OFFSET 0) AS c
    ORDER BY n.count DESC, c.code LIMIT 100
  )
  UNION ALL (
    SELECT 'attribute', '', a.text, count(*) FROM counted CROSS JOIN LATERAL unnest(attributes) AS a (text)
    GROUP BY a.text ORDER BY count(*) DESC, a.text LIMIT 2000
  )
  UNION ALL (
    SELECT 'price', '', width_bucket(price, $12::bigint[])::text, count(*) FROM counted WHERE price IS NOT NULL
    GROUP BY width_bucket(price, $12::bigint[]) ORDER BY width_bucket(price, $12::bigint[])
  ))sql"};
#undef BV_PAGE_AND_TOTAL
#undef BV_MATCHED
#undef BV_TEXT
#undef BV_WEB

std::string_view Word(SearchOrder order) {
  switch (order) {
    case SearchOrder::kRelevance:
      return "RELEVANCE";
    case SearchOrder::kPriceUp:
      return "PRICE_UP";
    case SearchOrder::kPriceDown:
      return "PRICE_DOWN";
    case SearchOrder::kNewest:
      break;
  }
  return "NEWEST";
}

// What has to be in the document beside the text.
std::string ConditionOf(const SearchQuery& query, const std::vector<std::string>& categories,
                        const TenantId& tenant) {
  std::vector<std::string> all = {QuotedWord(Concat("=t=", tenant.str()))};
  if (!categories.empty()) {
    std::vector<std::string> any;
    for (const std::string& code : categories) any.push_back(QuotedWord(Concat("=c=", code)));
    all.push_back(AnyOf(any));
  }
  std::map<std::string, std::vector<std::string>> by_name;
  for (const AttributeFilter& each : query.attributes)
    by_name[each.name].push_back(QuotedWord(Concat("=a=", each.name, ":", each.value)));
  for (const auto& [name, any] : by_name) all.push_back(AnyOf(any));
  if (query.price) all.push_back(QuotedWord(Concat("=p=", query.price->currency.code())));
  return absl::StrJoin(all, " & ");
}

// A cursor is the key of a hit and its id.
struct Place {
  std::string key = "Infinity";
  std::string id;
};

absl::StatusOr<Place> PlaceOf(const std::string& cursor) {
  Place place;
  if (cursor.empty()) return place;
  const std::size_t blank = cursor.find(' ');
  double key = 0;
  if (blank == std::string::npos || !absl::SimpleAtod(cursor.substr(0, blank), &key) ||
      !ProductId::Parse(cursor.substr(blank + 1)).ok()) {
    return InvalidValue("pageToken", "must be the nextPageToken of the page before");
  }
  place.key = cursor.substr(0, blank);
  place.id = cursor.substr(blank + 1);
  return place;
}

// "color:red" into the counts of "color", which are fewer than what is shown of each.
void AddAttribute(const std::string& text, std::int64_t count, std::vector<AttributeCounts>& attributes) {
  const std::string name = text.substr(0, text.find(':'));
  auto found = std::ranges::find(attributes, name, &AttributeCounts::name);
  if (found == attributes.end()) {
    if (attributes.size() == kAttributeNamesShown) return;
    found = attributes.insert(attributes.end(), {.name = name, .values = {}});
  }
  if (found->values.size() < kAttributeValuesShown)
    found->values.push_back({.name = text.substr(name.size() + 1), .count = count});
}

// `step` is how many steps there are at or below the price.
PriceCount PriceCountOf(std::size_t step, std::int64_t count) {
  const std::vector<std::int64_t>& steps = PriceSteps();
  PriceCount price{.from = step == 0 ? 0 : steps[step - 1], .below = std::nullopt, .count = count};
  if (step < steps.size()) price.below = steps[step];
  return price;
}

SearchResult ResultOf(const pqxx::result& rows, std::int64_t counted_max) {
  SearchResult result;
  for (const pqxx::row& row : rows) {
    const auto kind = row["kind"].as<std::string>();
    const auto name = row["name"].as<std::string>();
    const auto value = row["value"].as<std::string>();
    const auto count = row["count"].as<std::int64_t>();
    if (kind == "hit") {
      result.hits.push_back({.product = ProductId::Trusted(name), .cursor = Concat(value, " ", name)});
    } else if (kind == "total") {
      result.total = std::min(count, counted_max);
      result.total_is_lower_bound = count > counted_max;
    } else if (kind == "category") {
      result.facets.categories.push_back({.code = name, .name = value, .count = count});
    } else if (kind == "attribute") {
      AddAttribute(value, count, result.facets.attributes);
    } else {
      result.facets.prices.push_back(PriceCountOf(std::stoul(value), count));
    }
  }
  return result;
}

absl::StatusOr<SearchResult> FindIn(postgres::Session& session, const TenantId& tenant,
                                    const SearchQuery& query, std::int64_t counted_max) {
  ASSIGN_OR_RETURN(const Place after, PlaceOf(query.after));
  std::vector<std::string> categories;
  if (!query.category.empty()) {
    categories = CodesFrom(session, tenant, query.category);
    if (categories.empty()) return InvalidValue("category", "there is no such category");
  }
  const SearchWords words = WordsOf(query.text);
  if (words.text.empty() && !query.text.empty()) return SearchResult();
  const std::string condition = ConditionOf(query, categories, tenant);
  const std::string begun = words.is_last_begun ? ":*" : "";
  const std::string order(Word(query.order));
  const PriceFilter price = query.price.value_or(PriceFilter{});
  const std::string currency = query.price ? std::string(price.currency.code()) : "";
  if (!query.facets) {
    return ResultOf(session.Exec(kFind, condition, words.text, begun, order, currency, price.min, price.max,
                                 after.key, after.id, query.limit),
                    counted_max);
  }
  return ResultOf(session.Exec(kFindWithFacets, condition, words.text, begun, order, currency, price.min,
                               price.max, after.key, after.id, query.limit, counted_max,
                               postgres::ArrayLiteral(PriceSteps()), tenant.str()),
                  counted_max);
}

postgres::ConnectionSettings WithTimeout(postgres::ConnectionSettings settings, absl::Duration timeout) {
  settings.statement_timeout = timeout;
  return settings;
}

}  // namespace

void PostgresSearchSettings::Bind(config::Binder& b) {
  b.Integer("search.pool_size", pool.size, {1, 50});
  b.Integer("search.queue_max", pool.queue_max, {1, 10'000});
  b.Duration("search.timeout", timeout, {absl::Milliseconds(100), absl::Minutes(1)});
  b.Integer("search.counted_max", counted_max, {100, 1'000'000});
}

PostgresSearch::PostgresSearch(const postgres::ConnectionSettings& connection,
                               const PostgresSearchSettings& settings)
    : counted_max_(settings.counted_max),
      pool_(WithTimeout(connection, settings.timeout), settings.pool, postgres::Plans::kEachTime) {}

async::Task<absl::StatusOr<SearchResult>> PostgresSearch::Find(const SearchQuery& query,
                                                               const RequestContext& context) {
  std::function<absl::StatusOr<SearchResult>(postgres::Session&)> find = [&](postgres::Session& session) {
    return FindIn(session, context.tenant, query, counted_max_);
  };
  co_return co_await pool_.Read<SearchResult>(context, std::move(find));
}

}  // namespace bv::product
