#include "services/product/store/product_rows.h"

#include <absl/strings/str_replace.h>
#include <absl/strings/str_split.h>

#include "libs/base/strings.h"
#include "services/product/domain/words.h"

namespace bv::product {
namespace {

using postgres::ArrayLiteral;
using postgres::Statement;

// Between the elements of a list in one column; no text of a product has it.
constexpr char kSeparator = '\x1f';

// One row a variant, with the columns of its product; the description, which may be long, the attributes and
// the categories in the first of them only.
#define BV_PRODUCT_COLUMNS                                                                         \
  "p.product_id, p.title, CASE WHEN v.position = 0 THEN p.description END AS description, "        \
  "CASE WHEN v.position = 0 THEN array_to_string(p.attributes, E'\\x1f') END AS attributes, "      \
  "CASE WHEN v.position = 0 THEN (SELECT string_agg(pc.category, E'\\x1f' ORDER BY pc.category) "  \
  "FROM product_category pc WHERE pc.tenant_id = p.tenant_id AND pc.product_id = p.product_id) "   \
  "END AS categories, "                                                                            \
  "p.vendor_id, p.status, p.version, "                                                             \
  "(extract(epoch FROM p.created_at) * 1e6)::bigint AS created_micros, "                           \
  "(extract(epoch FROM p.updated_at) * 1e6)::bigint AS updated_micros, "                           \
  "v.variant_id, v.sku, h.price, h.currency, v.compare_at_price, v.fulfillment_type, v.status AS " \
  "variant_status "

// Variants and prices are subqueries with an order and a LIMIT, which leaves the planner nothing but the
// index, also while the table has no statistics. A product has at most kVariantsMax variants.
static_assert(kVariantsMax == 100);
#define BV_VARIANTS_OF_P                                                                    \
  "CROSS JOIN LATERAL (SELECT * FROM variant w "                                            \
  "WHERE w.tenant_id = p.tenant_id AND w.product_id = p.product_id "                        \
  "ORDER BY w.position LIMIT 100) AS v "                                                    \
  "CROSS JOIN LATERAL (SELECT * FROM product_price_history c "                              \
  "WHERE c.tenant_id = v.tenant_id AND c.variant_id = v.variant_id AND c.valid_to IS NULL " \
  "ORDER BY c.valid_from DESC LIMIT 1) AS h "

// Of a column that holds a list; NULL and '' are an empty one.
std::vector<std::string> ListOf(const pqxx::field& field) {
  return absl::StrSplit(field.is_null() ? "" : field.c_str(), kSeparator, absl::SkipEmpty());
}

// "name:value".
std::map<std::string, std::string> AttributesOf(const pqxx::field& field) {
  std::map<std::string, std::string> attributes;
  for (const std::string& each : ListOf(field)) {
    const std::size_t colon = each.find(':');
    attributes.emplace(each.substr(0, colon), each.substr(colon + 1));
  }
  return attributes;
}

// Sorted, as the map is.
std::string AttributesLiteral(const Product& product) {
  std::vector<std::string> texts;
  for (const auto& [name, value] : product.attributes) texts.push_back(Concat(name, ":", value));
  return ArrayLiteral(texts);
}

Product ProductOf(const pqxx::row& row) {
  Product product;
  product.id = ProductId::Trusted(row["product_id"].as<std::string>());
  product.title = row["title"].as<std::string>();
  product.description = row["description"].as<std::string>();
  product.attributes = AttributesOf(row["attributes"]);
  product.categories = ListOf(row["categories"]);
  product.vendor_id = row["vendor_id"].as<std::string>();
  product.status = ProductStatusOf(row["status"].as<std::string>());
  product.version = row["version"].as<std::int64_t>();
  product.created_at = postgres::TimeFromMicros(row["created_micros"]);
  product.updated_at = postgres::TimeFromMicros(row["updated_micros"]);
  return product;
}

Variant VariantOf(const pqxx::row& row) {
  Variant variant;
  variant.id = VariantId::Trusted(row["variant_id"].as<std::string>());
  variant.sku = SkuCode::Trusted(row["sku"].as<std::string>());
  variant.price = {row["price"].as<std::int64_t>(), Currency::Trusted(row["currency"].as<std::string>())};
  if (!row["compare_at_price"].is_null())
    variant.compare_at_price = row["compare_at_price"].as<std::int64_t>();
  variant.fulfillment = FulfillmentTypeOf(row["fulfillment_type"].as<std::string>());
  variant.status = VariantStatusOf(row["variant_status"].as<std::string>());
  return variant;
}

// From rows in which the variants of a product follow each other.
std::vector<Product> ProductsOf(const pqxx::result& rows) {
  std::vector<Product> products;
  for (const pqxx::row& row : rows) {
    if (products.empty() || products.back().id.str() != row["product_id"].c_str())
      products.push_back(ProductOf(row));
    products.back().variants.push_back(VariantOf(row));
  }
  return products;
}

// The pattern of ILIKE for titles that contain `part` as it stands.
std::string PatternOf(const std::string& part) {
  return part.empty() ? ""
                      : "%" + absl::StrReplaceAll(part, {{"\\", "\\\\"}, {"%", "\\%"}, {"_", "\\_"}}) + "%";
}

// The columns of variants as array parameters.
struct VariantArrays {
  std::vector<std::string> ids, skus, currencies, fulfillments, statuses;
  std::vector<std::int64_t> positions, prices;
  std::vector<std::optional<std::int64_t>> compare_at_prices;

  VariantArrays(const Product& product, const std::vector<std::size_t>& indexes) {
    for (const std::size_t index : indexes) {
      const Variant& variant = product.variants[index];
      ids.push_back(variant.id.str());
      skus.push_back(variant.sku.str());
      currencies.emplace_back(variant.price.currency.code());
      fulfillments.emplace_back(Word(variant.fulfillment));
      statuses.emplace_back(Word(variant.status));
      positions.push_back(static_cast<std::int64_t>(index));
      prices.push_back(variant.price.minor_units);
      compare_at_prices.push_back(variant.compare_at_price);
    }
  }
};

}  // namespace

std::optional<Product> ReadProduct(postgres::Session& session, const TenantId& tenant, const ProductId& id) {
  static constexpr Statement kRead{"product_read",
                                   "SELECT " BV_PRODUCT_COLUMNS "FROM product p " BV_VARIANTS_OF_P
                                   "WHERE p.tenant_id = $1 AND p.product_id = $2 ORDER BY v.position"};
  std::vector<Product> products = ProductsOf(session.Exec(kRead, tenant.str(), id.str()));
  if (products.empty()) return std::nullopt;
  return std::move(products.front());
}

std::vector<Product> ReadProducts(postgres::Session& session, const TenantId& tenant,
                                  const std::vector<ProductId>& ids) {
  // As for prices, a subquery with a LIMIT for each.
  static constexpr Statement kRead{"product_read_batch",
                                   "SELECT " BV_PRODUCT_COLUMNS
                                   "FROM (SELECT DISTINCT id FROM unnest($2::text[]) AS u (id)) AS k "
                                   "CROSS JOIN LATERAL (SELECT * FROM product r WHERE r.tenant_id = $1 AND "
                                   "r.product_id = k.id LIMIT 1) AS p " BV_VARIANTS_OF_P
                                   "ORDER BY p.product_id, v.position"};
  std::vector<std::string> texts;
  texts.reserve(ids.size());
  for (const ProductId& id : ids) texts.push_back(id.str());
  return ProductsOf(session.Exec(kRead, tenant.str(), ArrayLiteral(texts)));
}

std::vector<Product> ListProducts(postgres::Session& session, const TenantId& tenant,
                                  const ProductFilter& filter) {
#define BV_LIST(sku_condition)                                                                           \
  "SELECT " BV_PRODUCT_COLUMNS                                                                           \
  "FROM (SELECT * FROM product p "                                                                       \
  "WHERE p.tenant_id = $1 AND p.product_id < $2 AND ($3 = '' OR p.status = $3) AND ($4 = '' OR p.title " \
  "ILIKE $4) "                                                                                           \
  "AND NOT ($5 AND p.status = 'DRAFT') " sku_condition                                                   \
  "ORDER BY p.product_id DESC LIMIT $6) AS p " BV_VARIANTS_OF_P "ORDER BY p.product_id DESC, v.position"
  static constexpr Statement kList{"product_list", BV_LIST("")};
  static constexpr Statement kListBySku{
      "product_list_by_sku",
      BV_LIST(
          "AND p.product_id = (SELECT s.product_id FROM variant s WHERE s.tenant_id = $1 AND s.sku = $7) ")};
#undef BV_LIST
  // Greater than every id, so that the first page needs no other condition than the rest, and all use the
  // index.
  const std::string before = filter.before.empty() ? "prd_z" : filter.before.str();
  const std::string status = filter.status ? std::string(Word(*filter.status)) : "";
  const std::string pattern = PatternOf(filter.title_part);
  if (filter.sku) {
    return ProductsOf(session.Exec(kListBySku, tenant.str(), before, status, pattern, filter.shown_only,
                                   filter.limit, filter.sku->str()));
  }
  return ProductsOf(
      session.Exec(kList, tenant.str(), before, status, pattern, filter.shown_only, filter.limit));
}

bool LockProduct(postgres::Session& session, const TenantId& tenant, const ProductId& id) {
  static constexpr Statement kLock{"product_lock",
                                   "SELECT FROM product WHERE tenant_id = $1 AND product_id = $2 FOR UPDATE"};
  return !session.Exec(kLock, tenant.str(), id.str()).empty();
}

LockOutcome TryLockProduct(postgres::Session& session, const TenantId& tenant, const ProductId& id) {
  static constexpr Statement kTryLock{
      "product_try_lock",
      "SELECT FROM product WHERE tenant_id = $1 AND product_id = $2 FOR UPDATE SKIP LOCKED"};
  static constexpr Statement kExists{"product_exists",
                                     "SELECT FROM product WHERE tenant_id = $1 AND product_id = $2"};
  if (!session.Exec(kTryLock, tenant.str(), id.str()).empty()) return LockOutcome::kLocked;
  return session.Exec(kExists, tenant.str(), id.str()).empty() ? LockOutcome::kMissing : LockOutcome::kBusy;
}

void InsertProduct(postgres::Session& session, const TenantId& tenant, Product& product) {
  static constexpr Statement kInsert{"product_insert", R"sql(
    INSERT INTO product (tenant_id, product_id, title, description, vendor_id, status, attributes, created_at, updated_at)
    SELECT $1, $2, $3, $4, $5, $6, $7::text[], at, at FROM clock_timestamp() AS at
    RETURNING (extract(epoch FROM updated_at) * 1e6)::bigint, version
  )sql"};
  const pqxx::row row =
      session.Exec(kInsert, tenant.str(), product.id.str(), product.title, product.description,
                   product.vendor_id, std::string(Word(product.status)), AttributesLiteral(product))[0];
  product.updated_at = postgres::TimeFromMicros(row[0]);
  product.created_at = product.updated_at;
  product.version = row[1].as<std::int64_t>();
}

void UpdateProduct(postgres::Session& session, const TenantId& tenant, Product& product) {
  // The clock may stand still or go back; the order of versions, and with it that of prices, does not.
  static constexpr Statement kUpdate{"product_update", R"sql(
    UPDATE product
    SET title = $3, description = $4, vendor_id = $5, status = $6, attributes = $7::text[], version = version + 1,
        updated_at = greatest(clock_timestamp(), updated_at + interval '1 microsecond')
    WHERE tenant_id = $1 AND product_id = $2
    RETURNING (extract(epoch FROM updated_at) * 1e6)::bigint, version
  )sql"};
  const pqxx::row row =
      session.Exec(kUpdate, tenant.str(), product.id.str(), product.title, product.description,
                   product.vendor_id, std::string(Word(product.status)), AttributesLiteral(product))[0];
  product.updated_at = postgres::TimeFromMicros(row[0]);
  product.version = row[1].as<std::int64_t>();
}

std::vector<std::size_t> InsertVariants(postgres::Session& session, const TenantId& tenant,
                                        const Product& product, const std::vector<std::size_t>& indexes) {
  std::vector<std::size_t> inserted;
  if (indexes.empty()) return inserted;
  // In the order of the SKUs, so that transactions that want the same ones wait for each other and do not
  // deadlock.
  static constexpr Statement kInsert{"variant_insert", R"sql(
    INSERT INTO variant (tenant_id, variant_id, product_id, position, sku, compare_at_price, fulfillment_type, status, created_at)
    SELECT p.tenant_id, k.variant_id, p.product_id, k.position, k.sku, k.compare_at_price, k.fulfillment_type, k.status,
           p.updated_at
    FROM unnest($3::text[], $4::int[], $5::text[], $6::bigint[], $7::text[], $8::text[])
      AS k (variant_id, position, sku, compare_at_price, fulfillment_type, status)
    JOIN product p ON p.tenant_id = $1 AND p.product_id = $2
    ORDER BY k.sku
    ON CONFLICT ON CONSTRAINT variant_sku_unique DO NOTHING
    RETURNING position
  )sql"};
  const VariantArrays variants(product, indexes);
  for (const pqxx::row& row :
       session.Exec(kInsert, tenant.str(), product.id.str(), ArrayLiteral(variants.ids),
                    ArrayLiteral(variants.positions), ArrayLiteral(variants.skus),
                    ArrayLiteral(variants.compare_at_prices), ArrayLiteral(variants.fulfillments),
                    ArrayLiteral(variants.statuses))) {
    inserted.push_back(row[0].as<std::size_t>());
  }
  return inserted;
}

void UpdateVariants(postgres::Session& session, const TenantId& tenant, const Product& product,
                    const std::vector<std::size_t>& indexes) {
  if (indexes.empty()) return;
  static constexpr Statement kUpdate{"variant_update", R"sql(
    MERGE INTO variant v
    USING unnest($2::text[], $3::bigint[], $4::text[], $5::text[]) AS k (variant_id, compare_at_price, fulfillment_type, status)
    ON v.tenant_id = $1 AND v.variant_id = k.variant_id
    WHEN MATCHED THEN UPDATE
      SET compare_at_price = k.compare_at_price, fulfillment_type = k.fulfillment_type, status = k.status
    WHEN NOT MATCHED AND false THEN INSERT DEFAULT VALUES  -- an outer join: a look-up for each key, whatever the planner thinks of the table
  )sql"};
  const VariantArrays variants(product, indexes);
  session.Exec(kUpdate, tenant.str(), ArrayLiteral(variants.ids), ArrayLiteral(variants.compare_at_prices),
               ArrayLiteral(variants.fulfillments), ArrayLiteral(variants.statuses));
}

void WritePrices(postgres::Session& session, const TenantId& tenant, const Product& product,
                 const std::vector<std::size_t>& indexes) {
  if (indexes.empty()) return;
  static constexpr Statement kClose{"price_close", R"sql(
    MERGE INTO product_price_history h
    USING (
      SELECT variant_id, updated_at FROM unnest($3::text[]) AS u (variant_id), product WHERE tenant_id = $1 AND product_id = $2
    ) AS k
    ON h.tenant_id = $1 AND h.variant_id = k.variant_id AND h.valid_to IS NULL
    WHEN MATCHED THEN UPDATE SET valid_to = k.updated_at
    WHEN NOT MATCHED AND false THEN INSERT DEFAULT VALUES  -- an outer join: a look-up for each key, whatever the planner thinks of the table
  )sql"};
  static constexpr Statement kOpen{"price_open", R"sql(
    INSERT INTO product_price_history (tenant_id, variant_id, valid_from, price, currency)
    SELECT p.tenant_id, k.variant_id, p.updated_at, k.price, k.currency
    FROM unnest($3::text[], $4::bigint[], $5::text[]) AS k (variant_id, price, currency)
    JOIN product p ON p.tenant_id = $1 AND p.product_id = $2
  )sql"};
  const VariantArrays variants(product, indexes);
  const std::string ids = ArrayLiteral(variants.ids);
  session.Exec(kClose, tenant.str(), product.id.str(), ids);
  session.Exec(kOpen, tenant.str(), product.id.str(), ids, ArrayLiteral(variants.prices),
               ArrayLiteral(variants.currencies));
}

}  // namespace bv::product
