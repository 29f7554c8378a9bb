#include "services/identity/store/store_rows.h"

namespace bv::identity {
namespace {

using postgres::Statement;

#define BV_STORE_COLUMNS                                                                            \
  "store_code, name, currency, default_country, "                                                   \
  "(extract(epoch FROM created_at) * 1e6)::bigint AS created_at, (extract(epoch FROM closed_at) * " \
  "1e6)::bigint AS closed_at "

Store StoreOf(const pqxx::row& row) {
  Store store{.code = StoreCode::Trusted(row["store_code"].as<std::string>()),
              .name = row["name"].as<std::string>(),
              .currency = row["currency"].as<std::string>(),
              .default_country = CountryCode::Trusted(row["default_country"].as<std::string>()),
              .created_at = postgres::TimeFromMicros(row["created_at"]),
              .closed_at = std::nullopt};
  if (!row["closed_at"].is_null()) store.closed_at = postgres::TimeFromMicros(row["closed_at"]);
  return store;
}

}  // namespace

std::optional<Store> ReadStore(postgres::Session& session, const TenantId& tenant, const StoreCode& code) {
  static constexpr Statement kRead{
      "store_read", "SELECT " BV_STORE_COLUMNS "FROM store WHERE tenant_id = $1 AND store_code = $2"};
  const pqxx::result rows = session.Exec(kRead, tenant.str(), code.str());
  if (rows.empty()) return std::nullopt;
  return StoreOf(rows[0]);
}

std::vector<Store> ListStores(postgres::Session& session, const TenantId& tenant, const StoreCode& after,
                              int limit) {
  static constexpr Statement kList{"store_list", "SELECT " BV_STORE_COLUMNS
                                                 "FROM store WHERE tenant_id = $1 AND store_code > $2 "
                                                 "ORDER BY store_code LIMIT $3::int"};
  std::vector<Store> stores;
  for (const pqxx::row& row : session.Exec(kList, tenant.str(), after.str(), limit))
    stores.push_back(StoreOf(row));
  return stores;
}

std::vector<std::string> OpenStores(postgres::Session& session, const TenantId& tenant,
                                    const std::vector<std::string>& codes) {
  static constexpr Statement kOpen{"store_open", R"sql(
    SELECT s.store_code
    FROM unnest($2::text[]) AS asked (code),
      LATERAL (SELECT store_code FROM store WHERE tenant_id = $1 AND store_code = asked.code AND closed_at IS NULL OFFSET 0) AS s
  )sql"};
  std::vector<std::string> open;
  for (const pqxx::row& row : session.Exec(kOpen, tenant.str(), postgres::ArrayLiteral(codes)))
    open.push_back(row[0].as<std::string>());
  return open;
}

int CountStores(postgres::Session& session, const TenantId& tenant) {
  static constexpr Statement kCount{"store_count", "SELECT count(*) FROM store WHERE tenant_id = $1"};
  return session.Exec(kCount, tenant.str())[0][0].as<int>();
}

void InsertStore(postgres::Session& session, const TenantId& tenant, Store& store) {
  static constexpr Statement kInsert{"store_insert", R"sql(
    INSERT INTO store (tenant_id, store_code, name, currency, default_country) VALUES ($1, $2, $3, $4, $5)
  )sql"};
  session.Exec(kInsert, tenant.str(), store.code.str(), store.name, store.currency,
               store.default_country.str());
  store.created_at = session.transaction_time();
}

void MarkClosed(postgres::Session& session, const TenantId& tenant, Store& store) {
  static constexpr Statement kClose{
      "store_close", "UPDATE store SET closed_at = now() WHERE tenant_id = $1 AND store_code = $2"};
  session.Exec(kClose, tenant.str(), store.code.str());
  store.closed_at = session.transaction_time();
}

}  // namespace bv::identity
