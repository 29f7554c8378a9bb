#include "services/order/store/overdue_rows.h"

#include "services/order/domain/words.h"

namespace bv::order {

std::vector<OverdueOrder> FindOverdue(postgres::Session& session, absl::Duration grace,
                                      const OverdueOrder* last, int limit) {
  static constexpr postgres::Statement kFind{"orders_find_overdue", R"sql(
    SELECT o.tenant_id, o.order_id, coalesce(o.reservation_id, o.order_id), o.payment_method,
           (extract(epoch FROM o.hold_expires_at) * 1e6)::bigint, (extract(epoch FROM now() - o.hold_expires_at) * 1e6)::bigint
    FROM orders o
    WHERE o.status = 'PENDING' AND o.hold_expires_at < now() - $1 * interval '1 millisecond'
      AND (o.hold_expires_at, o.tenant_id, o.order_id) > ('epoch'::timestamptz + $2 * interval '1 microsecond', $3, $4)
      AND NOT EXISTS (SELECT FROM order_process p WHERE p.tenant_id = o.tenant_id AND p.order_id = o.order_id)
    ORDER BY o.hold_expires_at, o.tenant_id, o.order_id
    LIMIT $5
  )sql"};
  std::vector<OverdueOrder> found;
  for (const pqxx::row& row : session.Exec(kFind, absl::ToInt64Milliseconds(grace),
                                           last == nullptr ? 0 : absl::ToUnixMicros(last->hold_expires_at),
                                           last == nullptr ? "" : last->tenant.str(),
                                           last == nullptr ? "" : last->order.str(), limit)) {
    found.push_back({.tenant = TenantId::Trusted(row[0].as<std::string>()),
                     .order = OrderId::Trusted(row[1].as<std::string>()),
                     .reservation_id = row[2].as<std::string>(),
                     .payment_method = PaymentMethodOf(row[3].as<std::string>()),
                     .hold_expires_at = postgres::TimeFromMicros(row[4]),
                     .overdue = absl::Microseconds(row[5].as<std::int64_t>())});
  }
  return found;
}

}  // namespace bv::order
