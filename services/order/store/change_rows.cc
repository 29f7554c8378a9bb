#include "services/order/store/change_rows.h"

#include "libs/base/error.h"
#include "libs/base/strings.h"
#include "services/order/domain/words.h"

namespace bv::order {
namespace {

using postgres::ArrayLiteral;
using postgres::Statement;

}  // namespace

void UpdateOrders(postgres::Session& session, const std::vector<std::pair<OrderKey, const Order*>>& orders) {
  static constexpr Statement kUpdate{"orders_update", R"sql(
    MERGE INTO orders o
    USING unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::text[], $9::bigint[])
      AS k (tenant_id, order_id, status, payment_status, fulfillment_status, hold, cancel_reason, payment_id, version)
    ON o.tenant_id = k.tenant_id AND o.order_id = k.order_id
    WHEN MATCHED THEN UPDATE
      SET status = k.status, payment_status = k.payment_status, fulfillment_status = k.fulfillment_status,
          hold_expires_at = 'epoch'::timestamptz + k.hold * interval '1 microsecond', cancel_reason = k.cancel_reason,
          payment_id = k.payment_id, version = k.version, updated_at = now()
    WHEN NOT MATCHED AND false THEN INSERT DEFAULT VALUES  -- an outer join: a look-up for each key, whatever the planner thinks of the table
  )sql"};
  if (orders.empty()) return;
  std::vector<std::string> tenants, ids, statuses, payment_statuses, fulfillment_statuses, reasons, payments;
  std::vector<std::optional<std::int64_t>> holds;
  std::vector<std::int64_t> versions;
  for (const auto& [key, order] : orders) {
    tenants.push_back(key.first);
    ids.push_back(key.second);
    statuses.emplace_back(Word(order->status));
    payment_statuses.emplace_back(Word(order->payment_status));
    fulfillment_statuses.emplace_back(Word(order->fulfillment_status));
    holds.push_back(order->hold_expires_at ? std::optional(absl::ToUnixMicros(*order->hold_expires_at))
                                           : std::nullopt);
    reasons.push_back(order->cancel_reason);
    payments.push_back(order->payment_id.str());
    versions.push_back(order->version);
  }
  session.Exec(kUpdate, ArrayLiteral(tenants), ArrayLiteral(ids), ArrayLiteral(statuses),
               ArrayLiteral(payment_statuses), ArrayLiteral(fulfillment_statuses), ArrayLiteral(holds),
               ArrayLiteral(reasons), ArrayLiteral(payments), ArrayLiteral(versions));
}

void InsertHistory(postgres::Session& session,
                   const std::vector<std::pair<OrderKey, HistoryEntry>>& entries) {
  static constexpr Statement kInsert{"order_history_append", R"sql(
    INSERT INTO order_status_history (tenant_id, order_id, version, status, payment_status, fulfillment_status, actor, reason)
    SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
  )sql"};
  if (entries.empty()) return;
  std::vector<std::string> tenants, ids, statuses, payment_statuses, fulfillment_statuses, actors, reasons;
  std::vector<std::int64_t> versions;
  for (const auto& [key, entry] : entries) {
    tenants.push_back(key.first);
    ids.push_back(key.second);
    versions.push_back(entry.version);
    statuses.emplace_back(Word(entry.status));
    payment_statuses.emplace_back(Word(entry.payment_status));
    fulfillment_statuses.emplace_back(Word(entry.fulfillment_status));
    actors.push_back(entry.actor);
    reasons.push_back(entry.reason);
  }
  session.Exec(kInsert, ArrayLiteral(tenants), ArrayLiteral(ids), ArrayLiteral(versions),
               ArrayLiteral(statuses), ArrayLiteral(payment_statuses), ArrayLiteral(fulfillment_statuses),
               ArrayLiteral(actors), ArrayLiteral(reasons));
}

absl::StatusOr<std::vector<HistoryEntry>> ReadHistory(postgres::Session& session, const TenantId& tenant,
                                                      const OrderId& order, const std::string& user_id) {
  static constexpr Statement kRead{"order_history_read", R"sql(
    SELECT h.version, h.status, h.payment_status, h.fulfillment_status, h.actor, h.reason, (extract(epoch FROM h.at) * 1e6)::bigint
    FROM orders o JOIN order_status_history h USING (tenant_id, order_id)
    WHERE o.tenant_id = $1 AND o.order_id = $2 AND ($3 = '' OR o.user_id = $3)
    ORDER BY h.version
  )sql"};
  std::vector<HistoryEntry> entries;
  for (const pqxx::row& row : session.Exec(kRead, tenant.str(), order.str(), user_id)) {
    entries.push_back({.version = row[0].as<std::int64_t>(),
                       .status = StatusOf(row[1].as<std::string>()),
                       .payment_status = PaymentStatusOf(row[2].as<std::string>()),
                       .fulfillment_status = FulfillmentStatusOf(row[3].as<std::string>()),
                       .actor = row[4].as<std::string>(),
                       .reason = row[5].as<std::string>(),
                       .at = postgres::TimeFromMicros(row[6])});
  }
  // Every order has the line of its creation.
  if (entries.empty()) return NotFound("ORDER_NOT_FOUND", Concat("there is no order ", order.str()));
  return entries;
}

std::vector<ReservedOrder> FindReservations(postgres::Session& session, const TenantId& tenant,
                                            const std::vector<std::string>& reservation_ids) {
  static constexpr Statement kFind{"orders_find_reservations", R"sql(
    SELECT k.reservation_id, o.order_id
    FROM unnest($2::text[]) AS k (reservation_id)
    CROSS JOIN LATERAL (
      SELECT order_id FROM orders WHERE tenant_id = $1 AND reservation_id = k.reservation_id
      UNION ALL
      SELECT order_id FROM orders WHERE tenant_id = $1 AND order_id = k.reservation_id AND reservation_id IS NULL
    ) o
  )sql"};
  std::vector<ReservedOrder> found;
  for (const pqxx::row& row : session.Exec(kFind, tenant.str(), ArrayLiteral(reservation_ids)))
    found.push_back({row[0].as<std::string>(), OrderId::Trusted(row[1].as<std::string>())});
  return found;
}

}  // namespace bv::order
