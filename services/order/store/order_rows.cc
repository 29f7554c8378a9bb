#include "services/order/store/order_rows.h"

#include <map>

#include "libs/base/error.h"
#include "libs/base/strings.h"
#include "services/order/domain/words.h"

namespace bv::order {
namespace {

using postgres::ArrayLiteral;
using postgres::Statement;

// The column shipping_address, in the order that the migration names.
std::string AddressColumn(const Address& a) {
  return ArrayLiteral(std::vector<std::string>{a.name, a.line1, a.line2, a.city, a.region, a.postal_code,
                                               a.country.str(), a.phone ? a.phone->str() : ""});
}

Address AddressOf(const pqxx::row& row, int first) {
  const auto text = [&](int i) { return row[first + i].as<std::string>(); };
  Address address{.name = text(0),
                  .line1 = text(1),
                  .line2 = text(2),
                  .city = text(3),
                  .region = text(4),
                  .postal_code = text(5),
                  .country = CountryCode::Trusted(text(6))};
  if (!text(7).empty()) address.phone = Phone::Trusted(text(7));
  return address;
}

Order OrderOf(const pqxx::row& row) {
  Order order;
  order.id = OrderId::Trusted(row["order_id"].as<std::string>());
  order.user_id = row["user_id"].as<std::string>();
  order.status = StatusOf(row["status"].as<std::string>());
  order.payment_status = PaymentStatusOf(row["payment_status"].as<std::string>());
  order.fulfillment_status = FulfillmentStatusOf(row["fulfillment_status"].as<std::string>());
  order.payment_method = PaymentMethodOf(row["payment_method"].as<std::string>());
  order.total = {row["total_amount"].as<std::int64_t>(),
                 Currency::Trusted(row["currency"].as<std::string>())};
  order.email = Email::Trusted(row["email"].as<std::string>());
  order.version = row["version"].as<std::int64_t>();
  order.created_at = postgres::TimeFromMicros(row["created_micros"]);
  order.updated_at = postgres::TimeFromMicros(row["updated_micros"]);
  order.shipping_address = AddressOf(row, row.column_number("a1"));
  return order;
}

#define BV_ORDER_COLUMNS                                                                                    \
  "order_id, user_id, status, payment_status, fulfillment_status, payment_method, total_amount, currency, " \
  "email, version, "                                                                                        \
  "(extract(epoch FROM created_at) * 1e6)::bigint AS created_micros, (extract(epoch FROM updated_at) * "    \
  "1e6)::bigint AS updated_micros, "                                                                        \
  "shipping_address[1] AS a1, shipping_address[2], shipping_address[3], shipping_address[4], "              \
  "shipping_address[5], "                                                                                   \
  "shipping_address[6], shipping_address[7], shipping_address[8] "

void ReadItems(postgres::Session& session, const TenantId& tenant, std::vector<Order>& orders) {
  static constexpr Statement kRead{"order_items_read", R"sql(
    SELECT i.order_id, i.product_id, i.variant_id, i.sku, i.title, i.qty, i.price
    FROM unnest($2::text[]) AS k (order_id)
    JOIN order_items i ON i.tenant_id = $1 AND i.order_id = k.order_id
    ORDER BY i.order_id, i.position
  )sql"};
  std::vector<std::string> ids;
  std::map<std::string, Order*> by_id;
  for (Order& order : orders) {
    ids.push_back(order.id.str());
    by_id[order.id.str()] = &order;
  }
  for (const pqxx::row& row : session.Exec(kRead, tenant.str(), ArrayLiteral(ids))) {
    by_id.at(row[0].as<std::string>())
        ->items.push_back({ProductId::Trusted(row[1].as<std::string>()),
                           VariantId::Trusted(row[2].as<std::string>()),
                           SkuCode::Trusted(row[3].as<std::string>()), row[4].as<std::string>(),
                           row[5].as<std::int64_t>(), row[6].as<std::int64_t>()});
  }
}

}  // namespace

std::vector<OrderLanes::Item*> InsertOrders(postgres::Session& session,
                                            const std::vector<OrderLanes::Item*>& items) {
  static constexpr Statement kInsert{"orders_insert", R"sql(
    INSERT INTO orders (tenant_id, order_id, user_id, status, payment_status, fulfillment_status, payment_method, total_amount, currency,
                        email, shipping_address)
    SELECT tenant_id, order_id, user_id, status, payment_status, fulfillment_status, payment_method, total_amount, currency, email,
           shipping_address::text[]
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::text[],
                $10::text[], $11::text[])
      AS k (tenant_id, order_id, user_id, status, payment_status, fulfillment_status, payment_method, total_amount, currency, email,
            shipping_address)
    ON CONFLICT DO NOTHING
    RETURNING tenant_id, order_id
  )sql"};
  std::vector<std::string> tenants, ids, users, statuses, payment_statuses, fulfillment_statuses, methods,
      currencies, emails, addresses;
  std::vector<std::int64_t> totals;
  std::map<std::pair<std::string, std::string>, OrderLanes::Item*> by_id;
  for (OrderLanes::Item* item : items) {
    const Order& order = item->request.order;
    by_id[{item->context.tenant.str(), order.id.str()}] = item;
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
  }
  std::vector<OrderLanes::Item*> inserted;
  for (const pqxx::row& row : session.Exec(
           kInsert, ArrayLiteral(tenants), ArrayLiteral(ids), ArrayLiteral(users), ArrayLiteral(statuses),
           ArrayLiteral(payment_statuses), ArrayLiteral(fulfillment_statuses), ArrayLiteral(methods),
           ArrayLiteral(totals), ArrayLiteral(currencies), ArrayLiteral(emails), ArrayLiteral(addresses))) {
    inserted.push_back(by_id.at({row[0].as<std::string>(), row[1].as<std::string>()}));
  }
  return inserted;
}

void ReadTimes(postgres::Session& session, const std::vector<OrderLanes::Item*>& items) {
  static constexpr Statement kRead{"orders_read_times", R"sql(
    SELECT k.n, (extract(epoch FROM o.created_at) * 1e6)::bigint, (extract(epoch FROM o.updated_at) * 1e6)::bigint
    FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS k (tenant_id, order_id, n)
    JOIN orders o USING (tenant_id, order_id)
  )sql"};
  std::vector<std::string> tenants, ids;
  for (const OrderLanes::Item* item : items) {
    tenants.push_back(item->context.tenant.str());
    ids.push_back(item->request.order.id.str());
  }
  for (const pqxx::row& row : session.Exec(kRead, ArrayLiteral(tenants), ArrayLiteral(ids))) {
    Order& order = items[row[0].as<std::size_t>() - 1]->request.order;
    order.created_at = postgres::TimeFromMicros(row[1]);
    order.updated_at = postgres::TimeFromMicros(row[2]);
  }
}

void InsertItems(postgres::Session& session, const std::vector<OrderLanes::Item*>& items) {
  if (items.empty()) return;
  static constexpr Statement kInsert{"order_items_insert", R"sql(
    INSERT INTO order_items (tenant_id, order_id, position, product_id, variant_id, sku, title, qty, price)
    SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::bigint[])
  )sql"};
  std::vector<std::string> tenants, ids, products, variants, skus, titles;
  std::vector<std::int64_t> positions, quantities, prices;
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
    }
  }
  session.Exec(kInsert, ArrayLiteral(tenants), ArrayLiteral(ids), ArrayLiteral(positions),
               ArrayLiteral(products), ArrayLiteral(variants), ArrayLiteral(skus), ArrayLiteral(titles),
               ArrayLiteral(quantities), ArrayLiteral(prices));
}

void InsertHistory(postgres::Session& session, const std::vector<OrderLanes::Item*>& items,
                   std::string_view reason) {
  if (items.empty()) return;
  static constexpr Statement kInsert{"order_history_insert", R"sql(
    INSERT INTO order_status_history (tenant_id, order_id, version, status, payment_status, fulfillment_status, actor, reason)
    SELECT tenant_id, order_id, version, status, payment_status, fulfillment_status, actor, $8
    FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[])
      AS k (tenant_id, order_id, version, status, payment_status, fulfillment_status, actor)
  )sql"};
  std::vector<std::string> tenants, ids, statuses, payment_statuses, fulfillment_statuses, actors;
  std::vector<std::int64_t> versions;
  for (const OrderLanes::Item* item : items) {
    const Order& order = item->request.order;
    tenants.push_back(item->context.tenant.str());
    ids.push_back(order.id.str());
    versions.push_back(order.version);
    statuses.emplace_back(Word(order.status));
    payment_statuses.emplace_back(Word(order.payment_status));
    fulfillment_statuses.emplace_back(Word(order.fulfillment_status));
    actors.push_back(item->context.user_id);
  }
  session.Exec(kInsert, ArrayLiteral(tenants), ArrayLiteral(ids), ArrayLiteral(versions),
               ArrayLiteral(statuses), ArrayLiteral(payment_statuses), ArrayLiteral(fulfillment_statuses),
               ArrayLiteral(actors), std::string(reason));
}

absl::StatusOr<Order> ReadOrder(postgres::Session& session, const TenantId& tenant, const OrderId& id,
                                const std::string& user_id) {
  static constexpr Statement kRead{
      "order_read", "SELECT " BV_ORDER_COLUMNS
                    "FROM orders WHERE tenant_id = $1 AND order_id = $2 AND ($3 = '' OR user_id = $3)"};
  const pqxx::result result = session.Exec(kRead, tenant.str(), id.str(), user_id);
  if (result.empty()) return NotFound("ORDER_NOT_FOUND", Concat("there is no order ", id.str()));
  std::vector<Order> orders{OrderOf(result[0])};
  ReadItems(session, tenant, orders);
  return std::move(orders[0]);
}

std::vector<Order> ListOrders(postgres::Session& session, const TenantId& tenant, const std::string& user_id,
                              const std::string& before, int limit) {
  static constexpr Statement kList{
      "orders_list", "SELECT " BV_ORDER_COLUMNS
                     "FROM orders WHERE tenant_id = $1 AND user_id = $2 AND ($3 = '' OR order_id < $3) "
                     "ORDER BY order_id DESC LIMIT $4"};
  std::vector<Order> orders;
  for (const pqxx::row& row : session.Exec(kList, tenant.str(), user_id, before, limit))
    orders.push_back(OrderOf(row));
  if (!orders.empty()) ReadItems(session, tenant, orders);
  return orders;
}

std::optional<IdempotencyRecord> ReadIdempotencyRecord(postgres::Session& session, const TenantId& tenant,
                                                       const std::string& user_id,
                                                       const std::string& key_hash) {
  static constexpr Statement kRead{"idempotency_read", R"sql(
    SELECT request_hash, order_id FROM idempotency_record
    WHERE tenant_id = $1 AND user_id = $2 AND key_hash = $3 AND created_at >= now() - interval '24 hours'
  )sql"};
  const pqxx::result result = session.Exec(kRead, tenant.str(), user_id, key_hash);
  if (result.empty()) return std::nullopt;
  return IdempotencyRecord{result[0][0].as<std::string>(), OrderId::Trusted(result[0][1].as<std::string>())};
}

}  // namespace bv::order
