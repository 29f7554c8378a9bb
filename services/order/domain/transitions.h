// The life of an order after its creation: which change is allowed in which state, and what it makes of the
// order. Pure. The table in transitions.cc is the only place that says so.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <string>
#include <string_view>
#include <vector>

#include "libs/base/request_context.h"
#include "services/order/domain/order.h"

namespace bv::order {

// What can happen to an order.
enum class Event {
  kCommitStock,  // its stock is final before it is paid: cash on delivery
  kPay,
  kFailPayment,
  kCancel,
  kExpire,
  kRefund,  // money that came for an order that was canceled already
  kShip,
  kDeliver,
};
inline constexpr std::string_view kExpiredReason = "EXPIRED";

// OK when `event` may happen to the order as it is. FAILED_PRECONDITION, reason ORDER_STATE, names the
// order's state and those that allow it.
absl::Status Check(const Order& order, Event event);

// Whether PayOrder may begin. As Check, and FAILED_PRECONDITION: reason PAYMENT_METHOD for an order that is
// not paid by card, HOLD_EXPIRED for one that was canceled because its hold expired.
absl::Status CheckPay(const Order& order);
// Whether ConfirmPayment may begin: as CheckPay for bank transfer and cash on delivery; INVALID_ARGUMENT,
// reason AMOUNT_MISMATCH, when `received` is not the total.
absl::Status CheckConfirm(const Order& order, const Money& received);
// Whether a caller with `role` may cancel: customers only what is not paid.
absl::Status CheckCancel(const Order& order, Role role);

// What is asked to be sent off.
struct WantedShipment {
  std::string vendor_id;
  // None: all that is left of the vendor's items.
  std::vector<ShipmentItem> items;
  std::string carrier;
  std::string tracking_number;
};

// The shipments, PREPARING and without ids, that `wanted` stands for; none wanted: one a vendor with all that
// is left. As Check; FAILED_PRECONDITION, reason SHIPMENT_TOO_LARGE, names the item of which more is asked
// for than is left of the vendor's, or the vendor of whose items nothing is left.
absl::StatusOr<std::vector<Shipment>> PlanShipments(const Order& order,
                                                    const std::vector<WantedShipment>& wanted);

// The changes. Each checks, changes the states, counts up the version and sets updated_at to `now`; an error,
// as Check's, leaves the order as it was.
absl::Status CommitStock(Order& order, absl::Time now);
absl::Status Pay(Order& order, const PaymentId& payment, absl::Time now);
absl::Status FailPayment(Order& order, absl::Time now);
// A paid order's payment has been refunded before.
absl::Status Cancel(Order& order, std::string_view reason, absl::Time now);
absl::Status Expire(Order& order, absl::Time now);
absl::Status Refund(Order& order, const PaymentId& payment, absl::Time now);
// The shipments are among the order's and are PREPARING.
absl::Status Ship(Order& order, const std::vector<ShipmentId>& shipments, absl::Time now);
// NOT_FOUND, reason SHIPMENT_NOT_FOUND; a shipment that is delivered already changes nothing.
absl::Status Deliver(Order& order, const ShipmentId& shipment, absl::Time now);

}  // namespace bv::order
