#include "services/analytics/store/order_rows.h"

namespace bv::analytics {

std::vector<OrderRow> ReadOrders(postgres::Session& session, const TenantId& tenant,
                                 const std::string& user_id, const std::string& before, int limit) {
  // The id sorts by the time of the order's creation; '~' sorts behind all of them. A row whose creation has
  // not been heard of is not shown.
  static constexpr postgres::Statement kRead{"analytics_orders", R"sql(
    SELECT order_id, status, payment_status, fulfillment_status, total_amount, currency, state_version,
           (extract(epoch FROM created_at) * 1e6)::bigint AS created_at,
           (extract(epoch FROM updated_at) * 1e6)::bigint AS updated_at
    FROM orders_by_customer
    WHERE tenant_id = $1 AND rows_version = (SELECT live_version FROM projection WHERE name = 'orders_by_customer')
      AND user_id = $2 AND order_id < $3 AND placed_version > 0
    ORDER BY order_id DESC LIMIT $4::int
  )sql"};
  std::vector<OrderRow> orders;
  for (const pqxx::row& row :
       session.Exec(kRead, tenant.str(), user_id, before.empty() ? "~" : before, limit)) {
    orders.push_back(
        {.order_id = row["order_id"].c_str(),
         .status = row["status"].c_str(),
         .payment_status = row["payment_status"].c_str(),
         .fulfillment_status = row["fulfillment_status"].c_str(),
         .total = {row["total_amount"].as<std::int64_t>(), Currency::Trusted(row["currency"].c_str())},
         .created_at = postgres::TimeFromMicros(row["created_at"]),
         .updated_at = postgres::TimeFromMicros(row["updated_at"]),
         .version = row["state_version"].as<std::int64_t>()});
  }
  return orders;
}

}  // namespace bv::analytics
