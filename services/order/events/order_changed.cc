#include "services/order/events/order_changed.h"

#include "commerce/order/v1/events.pb.h"
#include "libs/base/macros.h"
#include "services/order/domain/words.h"

namespace bv::order {
namespace {

namespace pb = commerce::order::v1;

pb::OrderPaid PaidOf(const Order& order) {
  pb::OrderPaid event;
  event.set_order_id(order.id.str());
  event.set_user_id(order.user_id);
  event.set_total_amount(order.total.minor_units);
  event.set_currency(std::string(order.total.currency.code()));
  event.set_payment_id(order.payment_id.str());
  event.set_payment_method(std::string(Word(order.payment_method)));
  event.set_store_code(order.store.str());
  return event;
}

pb::OrderCanceled CanceledOf(const Order& before, const Order& after) {
  pb::OrderCanceled event;
  event.set_order_id(after.id.str());
  event.set_user_id(after.user_id);
  event.set_reason(after.cancel_reason);
  event.set_refunded_amount(before.status == Status::kPaid ? after.total.minor_units : 0);
  event.set_currency(std::string(after.total.currency.code()));
  event.set_store_code(after.store.str());
  return event;
}

pb::OrderFulfilled FulfilledOf(const Order& order) {
  pb::OrderFulfilled event;
  event.set_order_id(order.id.str());
  event.set_user_id(order.user_id);
  for (const Shipment& from : order.shipments) {
    pb::OrderFulfilled::Shipment* shipment = event.add_shipments();
    shipment->set_shipment_id(from.id.str());
    shipment->set_vendor_id(from.vendor_id);
    shipment->set_carrier(from.carrier);
    shipment->set_tracking_number(from.tracking_number);
  }
  event.set_store_code(order.store.str());
  return event;
}

pb::OrderStatusChanged StatusChangedOf(const Order& order, std::string_view reason) {
  pb::OrderStatusChanged event;
  event.set_order_id(order.id.str());
  event.set_user_id(order.user_id);
  event.set_status(std::string(Word(order.status)));
  event.set_payment_status(std::string(Word(order.payment_status)));
  event.set_fulfillment_status(std::string(Word(order.fulfillment_status)));
  event.set_reason(std::string(reason));
  event.set_store_code(order.store.str());
  return event;
}

}  // namespace

absl::StatusOr<std::vector<events::OutboxRow>> OrderChangedRows(const Order& before, const Order& after,
                                                                std::string_view reason,
                                                                const RequestContext& context) {
  std::vector<events::OutboxRow> rows;
  const auto add = [&](const google::protobuf::Message& event) -> absl::Status {
    ASSIGN_OR_RETURN(events::OutboxRow row, events::MakeRow(event, after.version, after.updated_at, context));
    rows.push_back(std::move(row));
    return absl::OkStatus();
  };
  const bool status_changed = before.status != after.status;
  const bool payment_changed = before.payment_status != after.payment_status;
  if (payment_changed && after.payment_status == PaymentStatus::kPaid) RETURN_IF_ERROR(add(PaidOf(after)));
  if (status_changed && after.status == Status::kCanceled) RETURN_IF_ERROR(add(CanceledOf(before, after)));
  if (status_changed && after.status == Status::kFulfilled) RETURN_IF_ERROR(add(FulfilledOf(after)));
  // Every change has this one, also where the states stay as they were: a consumer sees versions without
  // gaps.
  RETURN_IF_ERROR(add(StatusChangedOf(after, reason)));
  return rows;
}

}  // namespace bv::order
