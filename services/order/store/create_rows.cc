#include "services/order/store/create_rows.h"

#include "services/order/domain/words.h"
#include "services/order/store/address_column.h"

namespace bv::order {
namespace {

using postgres::ArrayLiteral;
using postgres::Statement;

using Texts = std::vector<std::string>;
using Numbers = std::vector<std::int64_t>;

constexpr char kReasonCreated[] = "CREATED";

struct ClaimColumns {
  Texts tenants, users, keys, requests, orders;

  explicit ClaimColumns(const std::map<RecordKey, IdempotencyRecord>& claims) {
    for (const auto& [key, record] : claims) {
      tenants.push_back(key.tenant);
      users.push_back(key.user);
      keys.push_back(key.key_hash);
      requests.push_back(record.request_hash);
      orders.push_back(record.order.str());
    }
  }
};

struct OrderColumns {
  Texts tenants, ids, users, statuses, payment_statuses, fulfillment_statuses, methods, currencies, emails,
      addresses, reservations, stores;
  Numbers totals, created;
  std::vector<std::optional<std::int64_t>> hold_expiries;

  explicit OrderColumns(const std::vector<OrderLanes::Item*>& items) {
    for (const OrderLanes::Item* item : items) {
      const Order& order = item->request.order;
      tenants.push_back(item->context.tenant.str());
      ids.push_back(order.id.str());
      users.push_back(order.user_id);
      statuses.emplace_back(Word(order.status));
      payment_statuses.emplace_back(Word(order.payment_status));
      fulfillment_statuses.emplace_back(Word(order.fulfillment_status));
      methods.emplace_back(Word(order.payment_method));
      totals.push_back(order.total.minor_units);
      currencies.emplace_back(order.total.currency.code());
      emails.push_back(order.email.str());
      addresses.push_back(AddressColumn(order.shipping_address));
      reservations.push_back(order.reservation_id);
      stores.push_back(order.store.str());
      hold_expiries.push_back(
          order.hold_expires_at ? std::optional(absl::ToUnixMicros(*order.hold_expires_at)) : std::nullopt);
      created.push_back(absl::ToUnixMicros(order.created_at));
    }
  }
};

struct ItemColumns {
  Texts tenants, ids, products, variants, skus, titles, vendors;
  Numbers positions, quantities, prices;

  explicit ItemColumns(const std::vector<OrderLanes::Item*>& items) {
    for (const OrderLanes::Item* item : items) {
      std::int64_t position = 0;
      for (const Item& line : item->request.order.items) {
        tenants.push_back(item->context.tenant.str());
        ids.push_back(item->request.order.id.str());
        positions.push_back(position++);
        products.push_back(line.product.str());
        variants.push_back(line.variant.str());
        skus.push_back(line.sku.str());
        titles.push_back(line.title);
        quantities.push_back(line.qty);
        prices.push_back(line.price);
        vendors.push_back(line.vendor_id);
      }
    }
  }
};

}  // namespace

bool InsertNewOrders(postgres::Session& session, const std::map<RecordKey, IdempotencyRecord>& claims,
                     const std::vector<OrderLanes::Item*>& items,
                     const std::vector<events::OutboxRow>& events) {
  // $1 to $10 are those of the outbox. The parts see none of each other's rows.
  static constexpr Statement kInsert{"orders_create", R"sql(
    WITH announced AS (
      )sql" BV_OUTBOX_INSERT R"sql(
    ), claimed AS (
      INSERT INTO idempotency_record AS r (tenant_id, user_id, key_hash, request_hash, order_id)
      SELECT tenant_id, user_id, key_hash, request_hash, order_id
      FROM unnest($11::text[], $12::text[], $13::text[], $14::text[], $15::text[])
        AS k (tenant_id, user_id, key_hash, request_hash, order_id)
      ORDER BY tenant_id, user_id, key_hash
      ON CONFLICT (tenant_id, user_id, key_hash) DO UPDATE
        SET request_hash = excluded.request_hash, order_id = excluded.order_id, created_at = now()
        WHERE r.created_at < now() - interval '24 hours'
      RETURNING 1
    ), placed AS (
      INSERT INTO orders (tenant_id, order_id, user_id, status, payment_status, fulfillment_status, payment_method, total_amount, currency,
                          email, shipping_address, reservation_id, hold_expires_at, created_at, updated_at, store_code)
      SELECT tenant_id, order_id, user_id, status, payment_status, fulfillment_status, payment_method, total_amount, currency,
             email, shipping_address::text[], reservation_id, to_timestamp(hold_expires_at / 1e6), to_timestamp(created_at / 1e6),
             to_timestamp(created_at / 1e6), store_code
      FROM unnest($16::text[], $17::text[], $18::text[], $19::text[], $20::text[], $21::text[], $22::text[], $23::bigint[], $24::text[],
                  $25::text[], $26::text[], $27::text[], $28::bigint[], $29::bigint[], $41::text[])
        AS k (tenant_id, order_id, user_id, status, payment_status, fulfillment_status, payment_method, total_amount, currency, email,
              shipping_address, reservation_id, hold_expires_at, created_at, store_code)
      ON CONFLICT DO NOTHING
      RETURNING 1
    ), itemised AS (
      INSERT INTO order_items (tenant_id, order_id, position, product_id, variant_id, sku, title, qty, price, vendor_id)
      SELECT * FROM unnest($30::text[], $31::text[], $32::int[], $33::text[], $34::text[], $35::text[], $36::text[], $37::bigint[],
                           $38::bigint[], $39::text[])
      ON CONFLICT DO NOTHING
    ), noted AS (
      INSERT INTO order_status_history (tenant_id, order_id, version, status, payment_status, fulfillment_status, actor, reason, at)
      SELECT tenant_id, order_id, 1, status, payment_status, fulfillment_status, actor, $40, to_timestamp(at / 1e6)
      FROM unnest($16::text[], $17::text[], $19::text[], $20::text[], $21::text[], $18::text[], $29::bigint[])
        AS k (tenant_id, order_id, status, payment_status, fulfillment_status, actor, at)
      ON CONFLICT DO NOTHING
    )
    SELECT (SELECT count(*) FROM claimed), (SELECT count(*) FROM placed)
  )sql"};
  const events::OutboxArrays e(events);
  const ClaimColumns c(claims);
  const OrderColumns o(items);
  const ItemColumns i(items);
  const pqxx::result inserted = session.Exec(
      kInsert, e.ids, e.topics, e.keys, e.types, e.payloads, e.versions, e.occurred, e.tenants,
      e.traceparents, e.correlation_ids, ArrayLiteral(c.tenants), ArrayLiteral(c.users), ArrayLiteral(c.keys),
      ArrayLiteral(c.requests), ArrayLiteral(c.orders), ArrayLiteral(o.tenants), ArrayLiteral(o.ids),
      ArrayLiteral(o.users), ArrayLiteral(o.statuses), ArrayLiteral(o.payment_statuses),
      ArrayLiteral(o.fulfillment_statuses), ArrayLiteral(o.methods), ArrayLiteral(o.totals),
      ArrayLiteral(o.currencies), ArrayLiteral(o.emails), ArrayLiteral(o.addresses),
      ArrayLiteral(o.reservations), ArrayLiteral(o.hold_expiries), ArrayLiteral(o.created),
      ArrayLiteral(i.tenants), ArrayLiteral(i.ids), ArrayLiteral(i.positions), ArrayLiteral(i.products),
      ArrayLiteral(i.variants), ArrayLiteral(i.skus), ArrayLiteral(i.titles), ArrayLiteral(i.quantities),
      ArrayLiteral(i.prices), ArrayLiteral(i.vendors), kReasonCreated, ArrayLiteral(o.stores));
  return inserted[0][0].as<std::size_t>() == claims.size() &&
         inserted[0][1].as<std::size_t>() == items.size();
}

std::map<OrderId, StoredTimes> FindOrders(postgres::Session& session,
                                          const std::vector<OrderLanes::Item*>& items) {
  static constexpr Statement kFind{"orders_find", R"sql(
    SELECT k.order_id, o.created_micros
    FROM unnest($1::text[], $2::text[]) AS k (tenant_id, order_id)
    CROSS JOIN LATERAL (
      SELECT (extract(epoch FROM created_at) * 1e6)::bigint AS created_micros
      FROM orders WHERE tenant_id = k.tenant_id AND order_id = k.order_id
      OFFSET 0
    ) o
  )sql"};
  Texts tenants, ids;
  for (const OrderLanes::Item* item : items) {
    tenants.push_back(item->context.tenant.str());
    ids.push_back(item->request.order.id.str());
  }
  std::map<OrderId, StoredTimes> found;
  for (const pqxx::row& row : session.Exec(kFind, ArrayLiteral(tenants), ArrayLiteral(ids)))
    found[OrderId::Trusted(row[0].as<std::string>())] = {postgres::TimeFromMicros(row[1])};
  return found;
}

}  // namespace bv::order
