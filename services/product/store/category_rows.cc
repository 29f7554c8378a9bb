#include "services/product/store/category_rows.h"

namespace bv::product {
namespace {

using postgres::ArrayLiteral;
using postgres::Statement;

#define BV_CATEGORY_COLUMNS                                         \
  "code, name, coalesce(parent, '') AS parent, position, version, " \
  "(extract(epoch FROM updated_at) * 1e6)::bigint AS updated_micros "

Category CategoryOf(const pqxx::row& row) {
  return {.code = row["code"].as<std::string>(),
          .name = row["name"].as<std::string>(),
          .parent = row["parent"].as<std::string>(),
          .position = row["position"].as<int>(),
          .version = row["version"].as<std::int64_t>(),
          .updated_at = postgres::TimeFromMicros(row["updated_micros"])};
}

std::vector<std::string> CodesOf(const pqxx::result& rows) {
  std::vector<std::string> codes;
  for (const pqxx::row& row : rows) codes.push_back(row[0].as<std::string>());
  return codes;
}

}  // namespace

std::vector<Category> ReadCategories(postgres::Session& session, const TenantId& tenant) {
  static constexpr Statement kRead{"category_read_all",
                                   "SELECT " BV_CATEGORY_COLUMNS "FROM category WHERE tenant_id = $1"};
  std::vector<Category> categories;
  for (const pqxx::row& row : session.Exec(kRead, tenant.str())) categories.push_back(CategoryOf(row));
  return categories;
}

std::optional<Category> ReadCategory(postgres::Session& session, const TenantId& tenant,
                                     const std::string& code) {
  static constexpr Statement kRead{
      "category_read", "SELECT " BV_CATEGORY_COLUMNS "FROM category WHERE tenant_id = $1 AND code = $2"};
  const pqxx::result rows = session.Exec(kRead, tenant.str(), code);
  if (rows.empty()) return std::nullopt;
  return CategoryOf(rows[0]);
}

std::vector<std::string> CodesFrom(postgres::Session& session, const TenantId& tenant,
                                   const std::string& code) {
  static constexpr Statement kRead{"category_codes_from", R"sql(
    WITH RECURSIVE below (code) AS (
      SELECT code FROM category WHERE tenant_id = $1 AND code = $2
      UNION ALL
      SELECT c.code FROM below b
      CROSS JOIN LATERAL (SELECT code FROM category WHERE tenant_id = $1 AND parent = b.code OFFSET 0) AS c
    )
    SELECT code FROM below
  )sql"};
  return CodesOf(session.Exec(kRead, tenant.str(), code));
}

void LockCategories(postgres::Session& session, const TenantId& tenant) {
  static constexpr Statement kLock{
      "category_lock", "SELECT pg_advisory_xact_lock(hashtextextended('product.category ' || $1, 0))"};
  session.Exec(kLock, tenant.str());
}

void InsertCategory(postgres::Session& session, const TenantId& tenant, Category& category) {
  static constexpr Statement kInsert{"category_insert", R"sql(
    INSERT INTO category (tenant_id, code, name, parent, position, updated_at)
    VALUES ($1, $2, $3, nullif($4, ''), $5, clock_timestamp())
    RETURNING (extract(epoch FROM updated_at) * 1e6)::bigint
  )sql"};
  const pqxx::result rows =
      session.Exec(kInsert, tenant.str(), category.code, category.name, category.parent, category.position);
  category.updated_at = postgres::TimeFromMicros(rows[0][0]);
}

void UpdateCategory(postgres::Session& session, const TenantId& tenant, Category& category) {
  static constexpr Statement kUpdate{"category_update", R"sql(
    UPDATE category
    SET name = $3, parent = nullif($4, ''), position = $5, version = version + 1, updated_at = clock_timestamp()
    WHERE tenant_id = $1 AND code = $2
    RETURNING (extract(epoch FROM updated_at) * 1e6)::bigint, version
  )sql"};
  const pqxx::row row = session.Exec(kUpdate, tenant.str(), category.code, category.name, category.parent,
                                     category.position)[0];
  category.updated_at = postgres::TimeFromMicros(row[0]);
  category.version = row[1].as<std::int64_t>();
}

bool DeleteCategory(postgres::Session& session, const TenantId& tenant, const std::string& code) {
  // Waits for those who are putting products into it; what they put in is seen by the statement after.
  static constexpr Statement kLock{"category_lock_row",
                                   "SELECT FROM category WHERE tenant_id = $1 AND code = $2 FOR UPDATE"};
  static constexpr Statement kDelete{"category_delete", R"sql(
    DELETE FROM category
    WHERE tenant_id = $1 AND code = $2
      AND NOT EXISTS (SELECT FROM product_category WHERE tenant_id = $1 AND category = $2)
    RETURNING code
  )sql"};
  session.Exec(kLock, tenant.str(), code);
  return !session.Exec(kDelete, tenant.str(), code).empty();
}

std::vector<std::string> HoldCategories(postgres::Session& session, const TenantId& tenant,
                                        const std::vector<std::string>& codes) {
  static constexpr Statement kHold{"category_hold",
                                   "SELECT code FROM category WHERE tenant_id = $1 AND code = ANY "
                                   "($2::text[]) ORDER BY code FOR KEY SHARE"};
  return CodesOf(session.Exec(kHold, tenant.str(), ArrayLiteral(codes)));
}

void PutIntoCategories(postgres::Session& session, const TenantId& tenant, const ProductId& product,
                       const std::vector<std::string>& codes) {
  if (codes.empty()) return;
  static constexpr Statement kPut{"product_category_insert", R"sql(
    INSERT INTO product_category (tenant_id, product_id, category)
    SELECT DISTINCT $1, $2, code FROM unnest($3::text[]) AS u (code)
  )sql"};
  session.Exec(kPut, tenant.str(), product.str(), ArrayLiteral(codes));
}

void TakeFromCategories(postgres::Session& session, const TenantId& tenant, const ProductId& product,
                        const std::vector<std::string>& codes) {
  if (codes.empty()) return;
  static constexpr Statement kTake{"product_category_delete",
                                   "DELETE FROM product_category WHERE tenant_id = $1 AND product_id = $2 "
                                   "AND category = ANY ($3::text[])"};
  session.Exec(kTake, tenant.str(), product.str(), ArrayLiteral(codes));
}

}  // namespace bv::product
