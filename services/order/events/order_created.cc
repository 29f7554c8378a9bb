#include "services/order/events/order_created.h"

#include "commerce/order/v1/events.pb.h"

namespace bv::order {
absl::StatusOr<events::OutboxRow> OrderCreatedRow(const Order& order, const RequestContext& context) {
  commerce::order::v1::OrderCreated event;
  event.set_order_id(order.id.str());
  event.set_user_id(order.user_id);
  event.set_total_amount(order.total.minor_units);
  event.set_currency(std::string(order.total.currency.code()));
  for (const Item& item : order.items) {
    auto* line = event.add_items();
    line->set_product_id(item.product.str());
    line->set_qty(item.qty);
    line->set_price(item.price);
  }
  event.set_store_code(order.store.str());
  return events::MakeRow(event, order.version, order.created_at, context);
}

}  // namespace bv::order
