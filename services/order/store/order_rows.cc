#include "services/order/store/order_rows.h"

#include <map>

#include "libs/base/error.h"
#include "libs/base/strings.h"
#include "services/order/domain/words.h"
#include "services/order/store/address_column.h"
#include "services/order/store/shipment_rows.h"

namespace bv::order {
namespace {

using postgres::ArrayLiteral;
using postgres::Statement;

Order OrderOf(const pqxx::row& row) {
  Order order;
  order.id = OrderId::Trusted(row["order_id"].as<std::string>());
  order.user_id = row["user_id"].as<std::string>();
  order.store = StoreCode::Trusted(row["store_code"].as<std::string>());
  order.status = StatusOf(row["status"].as<std::string>());
  order.payment_status = PaymentStatusOf(row["payment_status"].as<std::string>());
  order.fulfillment_status = FulfillmentStatusOf(row["fulfillment_status"].as<std::string>());
  order.payment_method = PaymentMethodOf(row["payment_method"].as<std::string>());
  order.total = {row["total_amount"].as<std::int64_t>(),
                 Currency::Trusted(row["currency"].as<std::string>())};
  order.email = Email::Trusted(row["email"].as<std::string>());
  order.reservation_id = row["reservation"].as<std::string>();
  if (!row["hold_micros"].is_null()) order.hold_expires_at = postgres::TimeFromMicros(row["hold_micros"]);
  order.cancel_reason = row["cancel_reason"].as<std::string>();
  order.payment_id = PaymentId::Trusted(row["payment_id"].as<std::string>());
  order.version = row["version"].as<std::int64_t>();
  order.created_at = postgres::TimeFromMicros(row["created_micros"]);
  order.updated_at = postgres::TimeFromMicros(row["updated_micros"]);
  order.shipping_address = AddressOf(row, row.column_number("a1"));
  return order;
}

#define BV_ORDER_COLUMNS                                                                                 \
  "order_id, user_id, store_code, status, payment_status, fulfillment_status, payment_method, "          \
  "total_amount, currency, email, coalesce(reservation_id, order_id) AS reservation, cancel_reason, "    \
  "payment_id, version, "                                                                                \
  "(extract(epoch FROM hold_expires_at) * 1e6)::bigint AS hold_micros, "                                 \
  "(extract(epoch FROM created_at) * 1e6)::bigint AS created_micros, (extract(epoch FROM updated_at) * " \
  "1e6)::bigint AS updated_micros, "                                                                     \
  "shipping_address[1] AS a1, shipping_address[2], shipping_address[3], shipping_address[4], "           \
  "shipping_address[5], "                                                                                \
  "shipping_address[6], shipping_address[7], shipping_address[8] "

std::vector<OrderKey> KeysOf(const std::map<OrderKey, Order*>& orders) {
  std::vector<OrderKey> keys;
  for (const auto& [key, order] : orders) keys.push_back(key);
  return keys;
}

void ReadItems(postgres::Session& session, const std::map<OrderKey, Order*>& orders) {
  static constexpr Statement kRead{"order_items_read", R"sql(
    SELECT k.tenant_id, k.order_id, i.product_id, i.variant_id, i.sku, i.title, i.qty, i.price, i.vendor_id
    FROM unnest($1::text[], $2::text[]) AS k (tenant_id, order_id)
    CROSS JOIN LATERAL (
      SELECT * FROM order_items WHERE tenant_id = k.tenant_id AND order_id = k.order_id ORDER BY position
    ) i
  )sql"};
  const OrderKeyColumns keys(KeysOf(orders));
  for (const pqxx::row& row : session.Exec(kRead, ArrayLiteral(keys.tenants), ArrayLiteral(keys.orders))) {
    orders.at({row[0].as<std::string>(), row[1].as<std::string>()})
        ->items.push_back({.product = ProductId::Trusted(row[2].as<std::string>()),
                           .variant = VariantId::Trusted(row[3].as<std::string>()),
                           .sku = SkuCode::Trusted(row[4].as<std::string>()),
                           .title = row[5].as<std::string>(),
                           .qty = row[6].as<std::int64_t>(),
                           .price = row[7].as<std::int64_t>(),
                           .vendor_id = row[8].as<std::string>()});
  }
}

// Items and shipments of orders whose rows have been read.
void ReadParts(postgres::Session& session, const std::map<OrderKey, Order*>& orders) {
  if (orders.empty()) return;
  ReadItems(session, orders);
  ReadShipments(session, orders);
}
void ReadParts(postgres::Session& session, const TenantId& tenant, std::vector<Order>& orders) {
  std::map<OrderKey, Order*> by_key;
  for (Order& order : orders) by_key[{tenant.str(), order.id.str()}] = &order;
  ReadParts(session, by_key);
}

}  // namespace

absl::StatusOr<Order> ReadOrder(postgres::Session& session, const TenantId& tenant, const OrderId& id,
                                const std::string& user_id) {
  static constexpr Statement kRead{
      "order_read", "SELECT " BV_ORDER_COLUMNS
                    "FROM orders WHERE tenant_id = $1 AND order_id = $2 AND ($3 = '' OR user_id = $3)"};
  const pqxx::result result = session.Exec(kRead, tenant.str(), id.str(), user_id);
  if (result.empty()) return NotFound("ORDER_NOT_FOUND", Concat("there is no order ", id.str()));
  std::vector<Order> orders{OrderOf(result[0])};
  ReadParts(session, tenant, orders);
  return std::move(orders[0]);
}

std::map<OrderKey, Order> LockOrders(postgres::Session& session, const std::vector<OrderKey>& keys) {
  static constexpr Statement kLock{
      "orders_lock",
      "SELECT o.* FROM unnest($1::text[], $2::text[]) AS k (key_tenant, key_order) "
      "CROSS JOIN LATERAL (SELECT tenant_id, " BV_ORDER_COLUMNS
      "FROM orders WHERE tenant_id = key_tenant AND order_id = key_order "
      "FOR NO KEY UPDATE) o"};
  const OrderKeyColumns columns(keys);
  std::map<OrderKey, Order> orders;
  for (const pqxx::row& row :
       session.Exec(kLock, ArrayLiteral(columns.tenants), ArrayLiteral(columns.orders))) {
    Order order = OrderOf(row);
    orders.emplace(OrderKey{row["tenant_id"].as<std::string>(), order.id.str()}, std::move(order));
  }
  std::map<OrderKey, Order*> by_key;
  for (auto& [key, order] : orders) by_key[key] = &order;
  ReadParts(session, by_key);
  return orders;
}

std::vector<Order> ListOrders(postgres::Session& session, const TenantId& tenant, const std::string& user_id,
                              const StoreCode& store, const std::string& before, int limit) {
  static constexpr Statement kList{
      "orders_list", "SELECT " BV_ORDER_COLUMNS
                     "FROM orders WHERE tenant_id = $1 AND user_id = $2 AND ($3 = '' OR order_id < $3) "
                     "AND ($4 = '' OR store_code = $4) ORDER BY order_id DESC LIMIT $5"};
  std::vector<Order> orders;
  for (const pqxx::row& row : session.Exec(kList, tenant.str(), user_id, before, store.str(), limit))
    orders.push_back(OrderOf(row));
  ReadParts(session, tenant, orders);
  return orders;
}

}  // namespace bv::order
