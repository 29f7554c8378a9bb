// Searches for holds that have to be given back, over all tenants.
#include "services/inventory/store/stock_rows.h"

namespace bv::inventory {
namespace {

std::vector<FoundHold> HoldsOf(const pqxx::result& rows) {
  std::vector<FoundHold> found;
  for (const pqxx::row& row : rows) {
    found.push_back({.tenant = TenantId::Trusted(row[0].as<std::string>()),
                     .reservation_id = row[1].as<std::string>(),
                     .sku = SkuCode::Trusted(row[2].as<std::string>()),
                     .created_at = postgres::TimeFromMicros(row[3])});
  }
  return found;
}

}  // namespace

std::vector<FoundHold> FindExpired(postgres::Session& session, int limit) {
  static constexpr postgres::Statement kFind{"holds_expired", R"sql(
    SELECT r.tenant_id, r.reservation_id, l.sku, (extract(epoch FROM r.created_at) * 1e6)::bigint
    FROM (
      SELECT tenant_id, reservation_id, created_at
      FROM reservation WHERE status = 'HELD' AND expires_at <= now()
      ORDER BY expires_at LIMIT $1
    ) r
    CROSS JOIN LATERAL (
      SELECT sku FROM reservation_line l
      WHERE l.tenant_id = r.tenant_id AND l.reservation_id = r.reservation_id
      ORDER BY sku LIMIT 1
    ) l
  )sql"};
  return HoldsOf(session.Exec(kFind, limit));
}

std::vector<FoundHold> FindHoldsForOrders(postgres::Session& session, absl::Time after, absl::Duration age,
                                          int limit) {
  static constexpr postgres::Statement kFind{"holds_for_orders", R"sql(
    SELECT r.tenant_id, r.reservation_id, l.sku, (extract(epoch FROM r.created_at) * 1e6)::bigint
    FROM (
      SELECT tenant_id, reservation_id, created_at
      FROM reservation
      WHERE status = 'HELD' AND holder = 'ORDER' AND created_at > to_timestamp($1 / 1e6)
        AND created_at <= now() - $2 * interval '1 millisecond'
      ORDER BY created_at LIMIT $3
    ) r
    CROSS JOIN LATERAL (
      SELECT sku FROM reservation_line l
      WHERE l.tenant_id = r.tenant_id AND l.reservation_id = r.reservation_id
      ORDER BY sku LIMIT 1
    ) l
    ORDER BY r.created_at
  )sql"};
  return HoldsOf(session.Exec(kFind, absl::ToUnixMicros(after), absl::ToInt64Milliseconds(age), limit));
}

}  // namespace bv::inventory
