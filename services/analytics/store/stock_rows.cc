#include "services/analytics/store/stock_rows.h"

namespace bv::analytics {

std::vector<StockRow> ReadStock(postgres::Session& session, const TenantId& tenant, const std::string& sku,
                                const StockPlace& after, int limit) {
  // One SKU is a range that begins and ends with it; '~' sorts behind every SKU.
  static constexpr postgres::Statement kRead{"analytics_stock", R"sql(
    SELECT sku, location_code, product_id, on_hand, reserved, available, stock_version,
           (extract(epoch FROM updated_at) * 1e6)::bigint AS updated_at
    FROM inventory_snapshot
    WHERE tenant_id = $1 AND rows_version = (SELECT live_version FROM projection WHERE name = 'inventory_snapshot')
      AND (sku, location_code) > ($2, $3) AND sku >= $4 AND sku <= $5
    ORDER BY sku, location_code LIMIT $6::int
  )sql"};
  std::vector<StockRow> stock;
  for (const pqxx::row& row : session.Exec(kRead, tenant.str(), after.sku, after.location_code, sku,
                                           sku.empty() ? "~" : sku, limit)) {
    stock.push_back({.place = {row["sku"].c_str(), row["location_code"].c_str()},
                     .product_id = row["product_id"].c_str(),
                     .on_hand = row["on_hand"].as<std::int64_t>(),
                     .reserved = row["reserved"].as<std::int64_t>(),
                     .available = row["available"].as<std::int64_t>(),
                     .version = row["stock_version"].as<std::int64_t>(),
                     .updated_at = postgres::TimeFromMicros(row["updated_at"])});
  }
  return stock;
}

}  // namespace bv::analytics
