#include "services/order/store/change_decision.h"

#include <algorithm>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "services/order/domain/words.h"
#include "services/order/events/order_changed.h"

namespace bv::order {
namespace {

using How = Changed::How;

std::string_view UnderWay(ProcessKind kind) {
  switch (kind) {
    case ProcessKind::kCommit:
      break;
    case ProcessKind::kPay:
      return "its payment is under way";
    case ProcessKind::kConfirm:
      return "the confirmation of its payment is under way";
    case ProcessKind::kCancel:
      return "its cancellation is under way";
    case ProcessKind::kFulfill:
      return "shipments of it are being sent off";
  }
  return "its stock is being committed";
}

absl::Status Busy(const Process& process) {
  absl::Status status = Error(absl::StatusCode::kFailedPrecondition, "ORDER_BUSY",
                              Concat("the order cannot be changed for the moment: ", UnderWay(process.kind)));
  ErrorDetail detail = GetErrorDetail(status);
  detail.retry_after = absl::Seconds(1);
  SetErrorDetail(status, detail);
  return status;
}

// One change of one subject.
class Decision {
 public:
  Decision(Subject& subject, const RequestContext& context, absl::Time now)
      : subject_(subject), context_(context), now_(now) {}

  absl::StatusOr<How> operator()(const BeginProcess& begin) {
    Process process = begin.process;
    std::vector<Shipment> shipments;
    RETURN_IF_ERROR(Prepare(begin, process, shipments));
    if (subject_.process) {
      // Two calls for shipments are two shipments; two for all else want the same.
      if (subject_.process->kind == process.kind && process.kind != ProcessKind::kFulfill)
        return How::kJoined;
      if (subject_.process->kind == ProcessKind::kCommit) return How::kBehind;
      return Busy(*subject_.process);
    }
    std::ranges::move(shipments, std::back_inserter(subject_.order.shipments));
    subject_.process = std::move(process);
    return How::kDone;
  }

  absl::StatusOr<How> operator()(const FinishProcess& finish) {
    if (!subject_.process || subject_.process->id != finish.process.id) return How::kNothing;
    RETURN_IF_ERROR(Finish(finish));
    subject_.process.reset();
    return How::kDone;
  }

  absl::StatusOr<How> operator()(const ExpireOrder&) {
    if (subject_.process || !Check(subject_.order, Event::kExpire).ok()) return How::kNothing;
    RETURN_IF_ERROR(Expire(context_.user_id));
    return How::kDone;
  }

  absl::StatusOr<How> operator()(const DeliverShipment& deliver) {
    const std::int64_t version = subject_.order.version;
    RETURN_IF_ERROR(Apply(context_.user_id, "DELIVERED",
                          [&](Order& order) { return Deliver(order, deliver.shipment, now_); }));
    return subject_.order.version == version ? How::kNothing : How::kDone;
  }

 private:
  // Whether the order's state allows it, and what it needs to know.
  absl::Status Prepare(const BeginProcess& begin, Process& process, std::vector<Shipment>& shipments) const {
    const Order& order = subject_.order;
    switch (process.kind) {
      case ProcessKind::kCommit:
        return Check(order, Event::kCommitStock);
      case ProcessKind::kPay:
        return CheckPay(order);
      case ProcessKind::kConfirm:
        return CheckConfirm(order, begin.received);
      case ProcessKind::kCancel:
        // With a payment: to give money back that came too late.
        if (!process.payment.empty()) return Check(order, Event::kRefund);
        if (order.status == Status::kPaid) process.payment = order.payment_id;
        return CheckCancel(order, begin.role);
      case ProcessKind::kFulfill: {
        ASSIGN_OR_RETURN(shipments, PlanShipments(order, begin.shipments));
        for (Shipment& shipment : shipments) {
          shipment.id = ShipmentId::New();
          process.shipments.push_back(shipment.id);
        }
        return absl::OkStatus();
      }
    }
    return absl::InternalError("a process of no kind");
  }

  absl::Status Finish(const FinishProcess& finish) {
    const std::string& actor = finish.process.actor;
    switch (finish.end) {
      case End::kStockCommitted:
        return Apply(actor, "STOCK_COMMITTED", [&](Order& order) { return CommitStock(order, now_); });
      case End::kPaid:
        return Apply(actor, "PAID", [&](Order& order) { return Pay(order, finish.payment, now_); });
      case End::kPaymentFailed:
        return Apply(actor, "PAYMENT_FAILED", [&](Order& order) { return FailPayment(order, now_); });
      case End::kExpired:
        RETURN_IF_ERROR(Expire(actor));
        return finish.payment.empty() ? absl::OkStatus() : GiveBack(actor, finish.payment);
      case End::kCanceled:
        if (subject_.order.status == Status::kCanceled) return GiveBack(actor, finish.payment);
        return Apply(actor, finish.process.reason,
                     [&](Order& order) { return Cancel(order, finish.process.reason, now_); });
      case End::kShipped:
        return SendOff(finish);
    }
    return absl::InternalError("a process without an end");
  }

  absl::Status Expire(const std::string& actor) {
    return Apply(actor, kExpiredReason, [&](Order& order) { return order::Expire(order, now_); });
  }
  absl::Status GiveBack(const std::string& actor, const PaymentId& payment) {
    return Apply(actor, "REFUNDED", [&](Order& order) { return Refund(order, payment, now_); });
  }

  absl::Status SendOff(const FinishProcess& finish) {
    const auto among = [](const std::vector<ShipmentId>& ids, const ShipmentId& id) {
      return std::ranges::find(ids, id) != ids.end();
    };
    std::erase_if(subject_.order.shipments, [&](const Shipment& shipment) {
      return among(finish.process.shipments, shipment.id) && !among(finish.shipped, shipment.id);
    });
    if (finish.shipped.empty()) return absl::OkStatus();
    return Apply(finish.process.actor, "SHIPPED",
                 [&](Order& order) { return Ship(order, finish.shipped, now_); });
  }

  // Makes a change that the domain allows, and notes it for the history and the events.
  template <class Transition>
  absl::Status Apply(std::string_view actor, std::string_view reason, Transition transition) {
    const Order before = subject_.order;
    Order after = before;
    RETURN_IF_ERROR(transition(after));
    if (after.version == before.version) return absl::OkStatus();
    ASSIGN_OR_RETURN(std::vector<events::OutboxRow> rows, OrderChangedRows(before, after, reason, context_));
    subject_.order = std::move(after);
    std::ranges::move(rows, std::back_inserter(subject_.events));
    subject_.history.push_back({.version = subject_.order.version,
                                .status = subject_.order.status,
                                .payment_status = subject_.order.payment_status,
                                .fulfillment_status = subject_.order.fulfillment_status,
                                .actor = std::string(actor),
                                .reason = std::string(reason)});
    return absl::OkStatus();
  }

  Subject& subject_;
  const RequestContext& context_;
  const absl::Time now_;
};

}  // namespace

absl::StatusOr<How> Decide(Subject& subject, const Change& change, const RequestContext& context,
                           absl::Time now) {
  return std::visit(Decision(subject, context, now), change.what);
}

}  // namespace bv::order
