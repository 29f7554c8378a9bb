#include "services/order/processes/steps.h"

#include <algorithm>

#include "libs/base/crash_point.h"
#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/telemetry/telemetry.h"
#include "services/order/domain/words.h"

namespace bv::order {
namespace {

namespace inventory = commerce::inventory::v1;
namespace payment = commerce::payment::v1;
using Inventory = rpc::Async<inventory::Inventory>;
using Payments = rpc::Async<payment::Payments>;

FinishProcess EndOf(Process process, End end) {
  return {.process = std::move(process), .end = end};
}
FinishProcess EndOf(Process process, End end, const payment::Payment& made) {
  return {.process = std::move(process), .end = end, .payment = PaymentId::Trusted(made.payment_id())};
}

absl::Status NotSettled(const payment::Payment& payment) {
  return Unavailable("PAYMENT_PENDING",
                     Concat("the payment is ", payment::PaymentStatus_Name(payment.status()), " still"));
}

// The reservation was released, has expired, is shipped or was never made.
bool NotHeld(const absl::Status& status) {
  const std::string reason = ErrorReason(status);
  return reason == "RESERVATION_NOT_HELD" || reason == "RESERVATION_NOT_FOUND";
}

// The same order of values, the contract's with UNSPECIFIED before.
payment::PaymentMethod ToProto(PaymentMethod method) {
  return static_cast<payment::PaymentMethod>(static_cast<int>(method) + 1);
}
static_assert(static_cast<int>(PaymentMethod::kCashOnDelivery) + 1 ==
              payment::PAYMENT_METHOD_CASH_ON_DELIVERY);

// Inventory will never hand this out, however often it is asked.
bool IsRefusal(const absl::Status& status) {
  return absl::IsFailedPrecondition(status) || absl::IsNotFound(status) || absl::IsInvalidArgument(status);
}

}  // namespace

async::Task<Steps::Ended> Steps::Run(Process process, const Order& order, const RequestContext& context) {
  switch (process.kind) {
    case ProcessKind::kCommit:
      return Commit(std::move(process), order, context);
    case ProcessKind::kPay:
      return Pay(std::move(process), order, context);
    case ProcessKind::kConfirm:
      return Confirm(std::move(process), order, context);
    case ProcessKind::kCancel:
      return Cancel(std::move(process), order, context);
    case ProcessKind::kFulfill:
      break;
  }
  return Fulfill(std::move(process), order, context);
}

async::Task<Steps::Ended> Steps::Commit(Process process, const Order& order, const RequestContext& context) {
  CrashPoint("order.commit.begun");
  CO_ASSIGN_OR_RETURN(const bool held, co_await CommitStock(order, context));
  CrashPoint("order.commit.committed_stock");
  co_return EndOf(std::move(process), held ? End::kStockCommitted : End::kExpired);
}

async::Task<Steps::Ended> Steps::Pay(Process process, const Order& order, const RequestContext& context) {
  CrashPoint("order.pay.begun");
  CO_ASSIGN_OR_RETURN(const bool held, co_await CommitStock(order, context));
  if (!held) co_return co_await GiveUp(std::move(process), order, context);
  CrashPoint("order.pay.committed_stock");
  // What costs nothing needs no payment.
  if (order.total.minor_units == 0) co_return EndOf(std::move(process), End::kPaid);
  CO_ASSIGN_OR_RETURN(const Payment made, co_await Charge(process, order, context));
  CrashPoint("order.pay.charged");
  switch (made.status()) {
    case payment::PAYMENT_STATUS_SUCCEEDED:
      co_return EndOf(std::move(process), End::kPaid, made);
    case payment::PAYMENT_STATUS_FAILED:
    case payment::PAYMENT_STATUS_REFUNDED: {
      CO_ASSIGN_OR_RETURN(const bool held_again, co_await UncommitStock(order, context));
      CrashPoint("order.pay.uncommitted_stock");
      co_return EndOf(std::move(process), held_again ? End::kPaymentFailed : End::kExpired);
    }
    default:
      co_return NotSettled(made);
  }
}

async::Task<Steps::Ended> Steps::Confirm(Process process, const Order& order, const RequestContext& context) {
  CrashPoint("order.confirm.begun");
  // Cash on delivery was committed when the order was placed, and may have been shipped since.
  const bool commits = order.payment_status != PaymentStatus::kDueOnDelivery || order.hold_expires_at;
  if (commits) {
    CO_ASSIGN_OR_RETURN(const bool held, co_await CommitStock(order, context));
    if (!held) co_return co_await GiveUp(std::move(process), order, context);
  }
  CrashPoint("order.confirm.committed_stock");
  if (order.total.minor_units == 0) co_return EndOf(std::move(process), End::kPaid);
  CO_ASSIGN_OR_RETURN(Payment made, co_await Charge(process, order, context));
  CrashPoint("order.confirm.charged");
  if (made.status() == payment::PAYMENT_STATUS_PENDING) {
    CO_ASSIGN_OR_RETURN(made, co_await ConfirmPayment(process, order, made, context));
    CrashPoint("order.confirm.confirmed");
  }
  switch (made.status()) {
    case payment::PAYMENT_STATUS_SUCCEEDED:
      co_return EndOf(std::move(process), End::kPaid, made);
    case payment::PAYMENT_STATUS_FAILED:
    case payment::PAYMENT_STATUS_REFUNDED: {
      if (!commits) co_return EndOf(std::move(process), End::kPaymentFailed);
      CO_ASSIGN_OR_RETURN(const bool held_again, co_await UncommitStock(order, context));
      CrashPoint("order.confirm.uncommitted_stock");
      co_return EndOf(std::move(process), held_again ? End::kPaymentFailed : End::kExpired);
    }
    default:
      co_return NotSettled(made);
  }
}

async::Task<Steps::Ended> Steps::Cancel(Process process, const Order& order, const RequestContext& context) {
  CrashPoint("order.cancel.begun");
  const PaymentId refunded = process.payment;
  if (!refunded.empty()) {
    CO_RETURN_IF_ERROR(co_await RefundPayment(refunded, process.reason, context));
    CrashPoint("order.cancel.refunded");
  }
  CO_RETURN_IF_ERROR(co_await ReleaseStock(order, context));
  CrashPoint("order.cancel.released_stock");
  FinishProcess finish = EndOf(std::move(process), End::kCanceled);
  finish.payment = refunded;
  co_return finish;
}

async::Task<Steps::Ended> Steps::Fulfill(Process process, const Order& order, const RequestContext& context) {
  CrashPoint("order.fulfill.begun");
  FinishProcess finish = EndOf(std::move(process), End::kShipped);
  const std::vector<ShipmentId>& wanted = finish.process.shipments;
  for (const Shipment& shipment : order.shipments) {
    if (std::ranges::find(wanted, shipment.id) == wanted.end()) continue;
    const absl::Status shipped = co_await ShipStock(order, shipment, context);
    CrashPoint("order.fulfill.shipped_stock");
    if (shipped.ok()) {
      finish.shipped.push_back(shipment.id);
    } else if (IsRefusal(shipped)) {
      telemetry::Log(telemetry::Level::kError, context,
                     "inventory does not hand out what the order has committed; the shipment is dropped",
                     {{"orderId", order.id.str()}, {"shipmentId", shipment.id.str()}, {"error", shipped}});
    } else {
      co_return shipped;
    }
  }
  co_return finish;
}

async::Task<Steps::Ended> Steps::GiveUp(Process process, const Order& order, const RequestContext& context) {
  payment::GetPaymentRequest request;
  request.set_payment_id(process.payment.str());
  absl::StatusOr<Payment> made = co_await payments_.Call(&Payments::GetPayment, request, context);
  if (absl::IsNotFound(made.status())) co_return EndOf(std::move(process), End::kExpired);
  // A charge whose outcome is not known is settled by asking for it again.
  if (made.ok() && made->status() == payment::PAYMENT_STATUS_PROCESSING)
    made = co_await Charge(process, order, context);
  CO_RETURN_IF_ERROR(made.status());
  switch (made->status()) {
    case payment::PAYMENT_STATUS_FAILED:
    case payment::PAYMENT_STATUS_PENDING:
      co_return EndOf(std::move(process), End::kExpired);
    case payment::PAYMENT_STATUS_SUCCEEDED:
    case payment::PAYMENT_STATUS_REFUNDING:
    case payment::PAYMENT_STATUS_REFUNDED: {
      const PaymentId paid = PaymentId::Trusted(made->payment_id());
      CO_RETURN_IF_ERROR(co_await RefundPayment(paid, kExpiredReason, context));
      CrashPoint("order.pay.refunded");
      co_return EndOf(std::move(process), End::kExpired, *made);
    }
    default:
      co_return NotSettled(*made);
  }
}

async::Task<absl::StatusOr<bool>> Steps::CommitStock(const Order& order, const RequestContext& context) {
  inventory::CommitRequest request;
  request.set_reservation_id(order.reservation_id);
  const absl::StatusOr<inventory::CommitResponse> committed =
      co_await inventory_.Call(&Inventory::CommitStock, request, context);
  if (committed.ok()) co_return true;
  if (NotHeld(committed.status())) co_return false;
  co_return committed.status();
}

async::Task<absl::StatusOr<bool>> Steps::UncommitStock(const Order& order, const RequestContext& context) {
  inventory::UncommitRequest request;
  request.set_reservation_id(order.reservation_id);
  const absl::StatusOr<inventory::UncommitResponse> held =
      co_await inventory_.Call(&Inventory::UncommitStock, request, context);
  if (held.ok()) co_return true;
  if (NotHeld(held.status())) co_return false;
  co_return held.status();
}

async::Task<absl::Status> Steps::ReleaseStock(const Order& order, const RequestContext& context) {
  inventory::ReleaseRequest request;
  request.set_reservation_id(order.reservation_id);
  const absl::StatusOr<inventory::ReleaseResponse> released =
      co_await inventory_.Call(&Inventory::ReleaseStock, request, context);
  if (NotHeld(released.status())) co_return absl::OkStatus();
  co_return released.status();
}

async::Task<absl::Status> Steps::ShipStock(const Order& order, const Shipment& shipment,
                                           const RequestContext& context) {
  inventory::ShipRequest request;
  request.set_reservation_id(order.reservation_id);
  request.set_shipment_id(shipment.id.str());
  for (const ShipmentItem& item : shipment.items) {
    inventory::ReserveLine* line = request.add_lines();
    line->set_sku(item.sku.str());
    line->set_qty(item.qty);
  }
  const absl::StatusOr<inventory::ShipResponse> shipped =
      co_await inventory_.Call(&Inventory::ShipStock, request, context);
  co_return shipped.status();
}

async::Task<absl::StatusOr<Steps::Payment>> Steps::Charge(const Process& process, const Order& order,
                                                          const RequestContext& context) {
  payment::ProcessPaymentRequest request;
  request.set_payment_id(process.payment.str());
  request.set_order_id(order.id.str());
  request.set_amount(order.total.minor_units);
  request.set_currency(std::string(order.total.currency.code()));
  request.set_method(ToProto(order.payment_method));
  absl::StatusOr<Payment> made = co_await payments_.Call(&Payments::ProcessPayment, request, context);
  if (ErrorReason(made.status()) == "ALREADY_PAID") co_return co_await FindSucceeded(order, context);
  co_return made;
}

async::Task<absl::StatusOr<Steps::Payment>> Steps::FindSucceeded(const Order& order,
                                                                 const RequestContext& context) {
  payment::ListPaymentsRequest request;
  request.set_order_id(order.id.str());
  CO_ASSIGN_OR_RETURN(const payment::ListPaymentsResponse list,
                      co_await payments_.Call(&Payments::ListPayments, request, context));
  for (const Payment& made : list.payments()) {
    if (made.status() == payment::PAYMENT_STATUS_SUCCEEDED) co_return made;
  }
  co_return Unavailable("PAYMENT_PENDING", "the payment that has paid the order is not there");
}

async::Task<absl::StatusOr<Steps::Payment>> Steps::ConfirmPayment(const Process& process, const Order& order,
                                                                  const Payment& made,
                                                                  const RequestContext& context) {
  payment::ConfirmPaymentRequest request;
  request.set_payment_id(made.payment_id());
  request.set_amount(order.total.minor_units);
  request.set_currency(std::string(order.total.currency.code()));
  request.set_reference(process.reference);
  co_return co_await payments_.Call(&Payments::ConfirmPayment, request, context);
}

async::Task<absl::Status> Steps::RefundPayment(const PaymentId& payment, std::string_view reason,
                                               const RequestContext& context) {
  payment::RefundPaymentRequest request;
  request.set_payment_id(payment.str());
  request.set_reason(std::string(reason));
  CO_ASSIGN_OR_RETURN(const Payment refunded,
                      co_await payments_.Call(&Payments::RefundPayment, request, context));
  if (refunded.status() != payment::PAYMENT_STATUS_REFUNDED) co_return NotSettled(refunded);
  co_return absl::OkStatus();
}

}  // namespace bv::order
