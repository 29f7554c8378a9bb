#include "services/order/domain/transitions.h"

#include <algorithm>
#include <array>
#include <map>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "services/order/domain/words.h"

namespace bv::order {
namespace {

// A set of the values of one enum.
template <class Enum>
struct Set {
  unsigned bits = 0;

  constexpr bool Has(Enum value) const { return (bits >> static_cast<unsigned>(value) & 1U) != 0; }
};
template <class Enum, class... Rest>
constexpr Set<Enum> In(Enum first, Rest... rest) {
  return {((1U << static_cast<unsigned>(first)) | ... | (1U << static_cast<unsigned>(rest)))};
}

constexpr auto kUnpaid = In(PaymentStatus::kPending, PaymentStatus::kFailed);
constexpr auto kDue = In(PaymentStatus::kDueOnDelivery);
constexpr auto kNotPaid = In(PaymentStatus::kPending, PaymentStatus::kFailed, PaymentStatus::kDueOnDelivery);
constexpr auto kPaid = In(PaymentStatus::kPaid);
constexpr auto kNothingShipped = In(FulfillmentStatus::kUnfulfilled);
constexpr auto kSomethingToShip = In(FulfillmentStatus::kUnfulfilled, FulfillmentStatus::kPartiallyShipped);
constexpr auto kSomethingShipped = In(FulfillmentStatus::kPartiallyShipped, FulfillmentStatus::kShipped);
constexpr auto kAnyFulfillment = In(FulfillmentStatus::kUnfulfilled, FulfillmentStatus::kPartiallyShipped,
                                    FulfillmentStatus::kShipped, FulfillmentStatus::kDelivered);

// States in which an event may happen.
struct Rule {
  Event event;
  Status status;
  Set<PaymentStatus> payment;
  Set<FulfillmentStatus> fulfillment;

  bool Allows(const Order& order) const {
    return order.status == status && payment.Has(order.payment_status) &&
           fulfillment.Has(order.fulfillment_status);
  }
};

constexpr Rule kRules[] = {
    {Event::kCommitStock, Status::kPending, kDue, kNothingShipped},
    {Event::kPay, Status::kPending, kUnpaid, kNothingShipped},
    {Event::kPay, Status::kPending, kDue, kAnyFulfillment},
    {Event::kFailPayment, Status::kPending, kUnpaid, kNothingShipped},
    {Event::kFailPayment, Status::kPending, kDue, kAnyFulfillment},
    {Event::kCancel, Status::kPending, kNotPaid, kNothingShipped},
    {Event::kCancel, Status::kPaid, kPaid, kNothingShipped},
    {Event::kExpire, Status::kPending, kNotPaid, kNothingShipped},
    {Event::kRefund, Status::kCanceled, kNotPaid, kNothingShipped},
    {Event::kShip, Status::kPending, kDue, kSomethingToShip},
    {Event::kShip, Status::kPaid, kPaid, kSomethingToShip},
    {Event::kDeliver, Status::kPending, kDue, kSomethingShipped},
    {Event::kDeliver, Status::kPaid, kPaid, In(FulfillmentStatus::kPartiallyShipped)},
    {Event::kDeliver, Status::kFulfilled, kPaid, In(FulfillmentStatus::kShipped)},
};

// "… cannot be …", in the order of the enum.
constexpr std::array<std::string_view, 8> kDone{
    "committed", "paid", "marked as not paid", "canceled", "expired", "refunded", "shipped", "delivered"};

// "PENDING, FAILED or DUE_ON_DELIVERY".
template <class Enum>
std::string Words(Set<Enum> set, Enum last) {
  std::vector<std::string_view> words;
  for (int i = 0; i <= static_cast<int>(last); ++i) {
    if (set.Has(static_cast<Enum>(i))) words.push_back(Word(static_cast<Enum>(i)));
  }
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " or " : ", ";
    text += words[i];
  }
  return text;
}

absl::Status Refuse(const Order& order, Event event) {
  std::string allowed;
  for (const Rule& rule : kRules) {
    if (rule.event != event) continue;
    allowed += Concat(allowed.empty() ? "" : ", or ", "status ", Word(rule.status), " with payment ",
                      Words(rule.payment, PaymentStatus::kDueOnDelivery), " and fulfilment ",
                      Words(rule.fulfillment, FulfillmentStatus::kDelivered));
  }
  return Error(absl::StatusCode::kFailedPrecondition, "ORDER_STATE",
               Concat("the order is ", Word(order.status), " (payment ", Word(order.payment_status),
                      ", fulfilment ", Word(order.fulfillment_status), ") and cannot be ",
                      kDone[static_cast<std::size_t>(event)], "; that takes ", allowed));
}

absl::Status WrongMethod(const Order& order, std::string_view what) {
  return Error(absl::StatusCode::kFailedPrecondition, "PAYMENT_METHOD",
               Concat("the order's payment method is ", Word(order.payment_method), "; ", what));
}

absl::Status CheckPayable(const Order& order) {
  if (order.status == Status::kCanceled && order.cancel_reason == kExpiredReason) {
    return Error(absl::StatusCode::kFailedPrecondition, "HOLD_EXPIRED",
                 "the order was not paid in time: its stock is back on sale and it is CANCELED; order again");
  }
  return Check(order, Event::kPay);
}

void Touch(Order& order, absl::Time now) {
  ++order.version;
  order.updated_at = now;
}

// Paid, and all of it on its way.
void FulfillIfDone(Order& order) {
  if (order.status == Status::kPaid && (order.fulfillment_status == FulfillmentStatus::kShipped ||
                                        order.fulfillment_status == FulfillmentStatus::kDelivered)) {
    order.status = Status::kFulfilled;
  }
}

// Of one vendor's SKU.
using Line = std::pair<std::string, SkuCode>;

// What is not in a shipment yet, in the order of the items.
std::vector<std::pair<Line, std::int64_t>> Unshipped(const Order& order) {
  std::vector<std::pair<Line, std::int64_t>> left;
  for (const Item& item : order.items) left.push_back({{item.vendor_id, item.sku}, item.qty});
  for (const Shipment& shipment : order.shipments) {
    for (const ShipmentItem& item : shipment.items) {
      for (auto& [line, qty] : left) {
        if (line == Line{shipment.vendor_id, item.sku}) qty -= item.qty;
      }
    }
  }
  std::erase_if(left, [](const auto& entry) { return entry.second <= 0; });
  return left;
}

bool AllShipped(const Order& order) {
  return Unshipped(order).empty() && std::ranges::none_of(order.shipments, [](const Shipment& shipment) {
           return shipment.status == ShipmentStatus::kPreparing;
         });
}

absl::Status TooLarge(std::string_view message, std::string_view field) {
  return Error(absl::StatusCode::kFailedPrecondition, "SHIPMENT_TOO_LARGE", message, field);
}

}  // namespace

absl::Status Check(const Order& order, Event event) {
  const bool allowed = std::ranges::any_of(
      kRules, [&](const Rule& rule) { return rule.event == event && rule.Allows(order); });
  return allowed ? absl::OkStatus() : Refuse(order, event);
}

absl::Status CheckPay(const Order& order) {
  if (order.payment_method != PaymentMethod::kCard)
    return WrongMethod(order, "the back office confirms its payment");
  return CheckPayable(order);
}

absl::Status CheckConfirm(const Order& order, const Money& received) {
  if (order.payment_method == PaymentMethod::kCard) return WrongMethod(order, "the customer pays it");
  RETURN_IF_ERROR(CheckPayable(order));
  if (received != order.total) {
    const int digits = CurrencyDigits(order.total.currency.code());
    return Error(absl::StatusCode::kInvalidArgument, "AMOUNT_MISMATCH",
                 Concat("the order's total is ", FormatDecimal(order.total.minor_units, digits), " ",
                        order.total.currency.code()),
                 "amount");
  }
  return absl::OkStatus();
}

absl::Status CheckCancel(const Order& order, Role role) {
  RETURN_IF_ERROR(Check(order, Event::kCancel));
  if (role == Role::kCustomer && order.status != Status::kPending) {
    return Error(
        absl::StatusCode::kFailedPrecondition, "ORDER_STATE",
        Concat("the order is ", Word(order.status),
               ": a customer cancels an order only while it is PENDING; the shop can cancel this one"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Shipment>> PlanShipments(const Order& order,
                                                    const std::vector<WantedShipment>& wanted) {
  RETURN_IF_ERROR(Check(order, Event::kShip));
  std::vector<std::pair<Line, std::int64_t>> left = Unshipped(order);
  std::vector<Shipment> planned;
  if (wanted.empty()) {
    std::map<std::string, Shipment> by_vendor;
    for (const auto& [line, qty] : left) by_vendor[line.first].items.push_back({line.second, qty});
    for (auto& [vendor, shipment] : by_vendor) {
      shipment.vendor_id = vendor;
      planned.push_back(std::move(shipment));
    }
    if (planned.empty()) return TooLarge("nothing is left to ship", "shipments");
    return planned;
  }
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const std::string field = Concat("shipments[", i, "]");
    Shipment shipment{.vendor_id = wanted[i].vendor_id,
                      .carrier = wanted[i].carrier,
                      .tracking_number = wanted[i].tracking_number,
                      .items = wanted[i].items};
    if (shipment.items.empty()) {
      for (const auto& [line, qty] : left) {
        if (line.first == shipment.vendor_id && qty > 0) shipment.items.push_back({line.second, qty});
      }
      if (shipment.items.empty()) return TooLarge("nothing is left to ship of this vendor", field);
    }
    for (std::size_t k = 0; k < shipment.items.size(); ++k) {
      const ShipmentItem& item = shipment.items[k];
      const auto line =
          std::ranges::find(left, Line{shipment.vendor_id, item.sku}, &std::pair<Line, std::int64_t>::first);
      const std::int64_t rest = line == left.end() ? 0 : line->second;
      if (item.qty > rest) {
        return TooLarge(Concat("only ", rest, " of ", item.sku.str(), " are left to ship of this vendor"),
                        Concat(field, ".items[", k, "].qty"));
      }
      line->second -= item.qty;
    }
    planned.push_back(std::move(shipment));
  }
  return planned;
}

absl::Status CommitStock(Order& order, absl::Time now) {
  RETURN_IF_ERROR(Check(order, Event::kCommitStock));
  order.hold_expires_at.reset();
  Touch(order, now);
  return absl::OkStatus();
}

absl::Status Pay(Order& order, const PaymentId& payment, absl::Time now) {
  RETURN_IF_ERROR(Check(order, Event::kPay));
  order.status = Status::kPaid;
  order.payment_status = PaymentStatus::kPaid;
  order.payment_id = payment;
  order.hold_expires_at.reset();
  FulfillIfDone(order);
  Touch(order, now);
  return absl::OkStatus();
}

absl::Status FailPayment(Order& order, absl::Time now) {
  RETURN_IF_ERROR(Check(order, Event::kFailPayment));
  // What is due on delivery stays due.
  if (order.payment_status == PaymentStatus::kPending) order.payment_status = PaymentStatus::kFailed;
  Touch(order, now);
  return absl::OkStatus();
}

absl::Status Cancel(Order& order, std::string_view reason, absl::Time now) {
  RETURN_IF_ERROR(Check(order, Event::kCancel));
  if (order.status == Status::kPaid) order.payment_status = PaymentStatus::kRefunded;
  order.status = Status::kCanceled;
  order.cancel_reason = reason;
  order.hold_expires_at.reset();
  Touch(order, now);
  return absl::OkStatus();
}

absl::Status Expire(Order& order, absl::Time now) {
  RETURN_IF_ERROR(Check(order, Event::kExpire));
  return Cancel(order, kExpiredReason, now);
}

absl::Status Refund(Order& order, const PaymentId& payment, absl::Time now) {
  RETURN_IF_ERROR(Check(order, Event::kRefund));
  order.payment_status = PaymentStatus::kRefunded;
  order.payment_id = payment;
  Touch(order, now);
  return absl::OkStatus();
}

absl::Status Ship(Order& order, const std::vector<ShipmentId>& shipments, absl::Time now) {
  RETURN_IF_ERROR(Check(order, Event::kShip));
  for (Shipment& shipment : order.shipments) {
    if (std::ranges::find(shipments, shipment.id) == shipments.end()) continue;
    shipment.status = ShipmentStatus::kShipped;
    shipment.shipped_at = now;
  }
  order.fulfillment_status =
      AllShipped(order) ? FulfillmentStatus::kShipped : FulfillmentStatus::kPartiallyShipped;
  FulfillIfDone(order);
  Touch(order, now);
  return absl::OkStatus();
}

absl::Status Deliver(Order& order, const ShipmentId& id, absl::Time now) {
  const auto shipment = std::ranges::find(order.shipments, id, &Shipment::id);
  if (shipment == order.shipments.end())
    return NotFound("SHIPMENT_NOT_FOUND", Concat("the order has no shipment ", id.str()));
  if (shipment->status == ShipmentStatus::kDelivered) return absl::OkStatus();
  RETURN_IF_ERROR(Check(order, Event::kDeliver));
  if (shipment->status == ShipmentStatus::kPreparing) {
    return Error(absl::StatusCode::kFailedPrecondition, "ORDER_STATE",
                 "the shipment is PREPARING and cannot be delivered before it is SHIPPED");
  }
  shipment->status = ShipmentStatus::kDelivered;
  shipment->delivered_at = now;
  const bool all = std::ranges::all_of(
      order.shipments, [](const Shipment& other) { return other.status == ShipmentStatus::kDelivered; });
  if (all && order.fulfillment_status == FulfillmentStatus::kShipped)
    order.fulfillment_status = FulfillmentStatus::kDelivered;
  Touch(order, now);
  return absl::OkStatus();
}

}  // namespace bv::order
