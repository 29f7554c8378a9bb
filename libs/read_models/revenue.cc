#include "libs/read_models/revenue.h"

#include "commerce/order/v1/events.pb.h"
#include "libs/base/error.h"
#include "libs/base/macros.h"

namespace bv::read_models {
namespace {

namespace pb = commerce::order::v1;

absl::Status CheckAmount(std::int64_t amount, std::string_view field) {
  if (amount < 0) return InvalidValue(field, "must be 0 or more");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::optional<Revenue>> RevenueOf(const projections::Event& event) {
  Revenue revenue;
  if (event.envelope.Is<pb::OrderPaid>()) {
    pb::OrderPaid paid;
    RETURN_IF_ERROR(event.envelope.ParsePayload(paid));
    RETURN_IF_ERROR(CheckAmount(paid.total_amount(), "payload.totalAmount"));
    ASSIGN_OR_RETURN(revenue.currency, Currency::Parse(paid.currency(), "payload.currency"));
    revenue.paid = paid.total_amount();
    return revenue;
  }
  if (event.envelope.Is<pb::OrderCanceled>()) {
    pb::OrderCanceled canceled;
    RETURN_IF_ERROR(event.envelope.ParsePayload(canceled));
    RETURN_IF_ERROR(CheckAmount(canceled.refunded_amount(), "payload.refundedAmount"));
    if (canceled.refunded_amount() == 0) return std::nullopt;  // nothing was paid
    ASSIGN_OR_RETURN(revenue.currency, Currency::Parse(canceled.currency(), "payload.currency"));
    revenue.refunded = canceled.refunded_amount();
    revenue.is_refund = true;
    return revenue;
  }
  return std::nullopt;
}

const std::string& RevenueTopic() {
  return events::TypeOf<pb::OrderPaid>().topic;
}

std::vector<std::string> RevenueSums() {
  return {"paid_amount", "paid_orders", "refunded_amount", "refunded_orders"};
}

projections::Add AddOf(const Revenue& revenue) {
  return {.amounts = {revenue.paid, revenue.is_refund ? 0 : 1, revenue.refunded, revenue.is_refund ? 1 : 0}};
}

}  // namespace bv::read_models
