#include "services/order/reconcile/reconciler.h"

#include <map>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/telemetry/telemetry.h"
#include "services/order/domain/words.h"
#include "services/order/store/order_rows.h"
#include "services/order/store/process_rows.h"

namespace bv::order {
namespace {

namespace inventory = commerce::inventory::v1;
namespace payment = commerce::payment::v1;

// Until then inventory's own news is on its way.
constexpr absl::Duration kGrace = absl::Minutes(1);
// A hold that is older and still there is not being swept.
constexpr absl::Duration kSweptAfter = absl::Minutes(10);
constexpr absl::Duration kTimeout = absl::Seconds(10);
constexpr int kPage = 100;
// When the order changes between the look and the deed.
constexpr int kTriesMax = 3;

void Mended(const char* what, const OrderId& order, const RequestContext& context) {
  telemetry::Counter("order_reconciled_total", "What did not add up and was mended, or is being mended.",
                     {{"what", what}})
      .Increment();
  telemetry::Log(telemetry::Level::kWarn, context, "an order did not add up and is mended",
                 {{"orderId", order.str()}, {"what", what}});
}

void Report(const char* what, const OrderId& order, const RequestContext& context) {
  telemetry::Counter("order_unreconciled_total", "What does not add up and needs a person.", {{"what", what}})
      .Increment();
  telemetry::Log(telemetry::Level::kError, context, "an order does not add up and cannot be mended",
                 {{"orderId", order.str()}, {"what", what}});
}

// Whether what is under way has to do with the payment. It ends in the transaction that writes its outcome,
// so there is no moment in between.
bool WillFind(const std::optional<Process>& under_way, const PaymentId& payment) {
  if (!under_way) return false;
  return under_way->payment == payment || under_way->kind == ProcessKind::kPay ||
         under_way->kind == ProcessKind::kConfirm;
}

}  // namespace

async::Task<absl::Status> Reconciler::Settle(SettledPayment made, const RequestContext& parent) {
  const RequestContext context = parts_.tokens.ContextFor(parent.tenant, absl::Now() + kTimeout, parent);
  for (int i = 0; i < kTriesMax; ++i) {
    CO_ASSIGN_OR_RETURN(const Verdict verdict, co_await TrySettle(made, context));
    if (verdict != Verdict::kAgain) co_return absl::OkStatus();
  }
  Report("payment_not_fitting", made.order, context);
  co_return absl::OkStatus();
}

async::Task<absl::StatusOr<Reconciler::Verdict>> Reconciler::TrySettle(const SettledPayment& made,
                                                                       const RequestContext& context) {
  const absl::StatusOr<Seen> seen = co_await Read(made.order, context);
  if (absl::IsNotFound(seen.status())) {
    Report("payment_without_order", made.order, context);
    co_return Verdict::kNothing;
  }
  CO_RETURN_IF_ERROR(seen.status());
  const Order& order = seen->order;
  if (order.payment_id == made.payment || WillFind(seen->under_way, made.payment))
    co_return Verdict::kNothing;
  if (seen->under_way) co_return Unavailable("ORDER_BUSY", "something else is under way with the order");
  if (order.status == Status::kPending) co_return co_await BeginPaying(made, order, context);
  if (order.status == Status::kCanceled && order.payment_status != PaymentStatus::kRefunded)
    co_return co_await BeginRefund(made, context);
  CO_RETURN_IF_ERROR(co_await parts_.steps.RefundPayment(made.payment, "PAID_TWICE", context));
  Mended("paid_twice", made.order, context);
  co_return Verdict::kMended;
}

async::Task<absl::StatusOr<Reconciler::Verdict>> Reconciler::BeginPaying(const SettledPayment& made,
                                                                         const Order& order,
                                                                         const RequestContext& context) {
  const bool by_card = order.payment_method == PaymentMethod::kCard;
  BeginProcess begin{
      .process = NewProcess(by_card ? ProcessKind::kPay : ProcessKind::kConfirm, made.order, context),
      .role = Role::kService,
      .received = made.amount};
  begin.process.payment = made.payment;
  begin.process.reference = made.reference.empty() ? made.payment.str() : made.reference;
  co_return co_await BeginOf(std::move(begin), "payment_finished", context);
}

async::Task<absl::StatusOr<Reconciler::Verdict>> Reconciler::BeginRefund(const SettledPayment& made,
                                                                         const RequestContext& context) {
  BeginProcess begin{.process = NewProcess(ProcessKind::kCancel, made.order, context),
                     .role = Role::kService};
  begin.process.payment = made.payment;
  begin.process.reason = "ORDER_CANCELED";
  co_return co_await BeginOf(std::move(begin), "payment_refunded", context);
}

async::Task<absl::StatusOr<Reconciler::Verdict>> Reconciler::BeginOf(BeginProcess begin, const char* what,
                                                                     const RequestContext& context) {
  const OrderId order = begin.process.order;
  const absl::StatusOr<Changed> begun = co_await parts_.processes.Begin(std::move(begin), context);
  if (absl::IsFailedPrecondition(begun.status()) || absl::IsInvalidArgument(begun.status()))
    co_return Verdict::kAgain;
  CO_RETURN_IF_ERROR(begun.status());
  if (begun->how == Changed::How::kBehind)
    co_return Unavailable("ORDER_BUSY", "its stock is being committed");
  if (begun->how == Changed::How::kDone) Mended(what, order, context);
  co_return Verdict::kMended;
}

async::Task<absl::Status> Reconciler::Expire(OrderId order, const RequestContext& parent) {
  const RequestContext context = parts_.tokens.ContextFor(parent.tenant, absl::Now() + kTimeout, parent);
  Change change{order, ExpireOrder{}};
  const absl::StatusOr<Changed> changed =
      co_await parts_.lanes.Submit(order.str(), std::move(change), context);
  if (changed.ok() && changed->how == Changed::How::kDone) {
    telemetry::Log(telemetry::Level::kInfo, context, "order canceled: its hold has expired",
                   {{"orderId", order.str()}, {"eventType", "ecommerce.order.order.canceled.v1"}});
  }
  co_return changed.status();
}

async::Task<absl::StatusOr<bool>> Reconciler::Round(std::stop_token stop) {
  CO_RETURN_IF_ERROR(co_await CheckOverdue(std::move(stop)));
  co_return false;
}

async::Task<absl::Status> Reconciler::CheckOverdue(std::stop_token stop) {
  using Found = std::vector<OverdueOrder>;
  std::optional<OverdueOrder> last;
  while (!stop.stop_requested()) {
    std::function<absl::StatusOr<Found>(postgres::Session&)> find =
        [&last](postgres::Session& session) -> absl::StatusOr<Found> {
      return FindOverdue(session, kGrace, last ? &*last : nullptr, kPage);
    };
    RequestContext every;
    every.tenant = postgres::EveryTenant();
    every.deadline = absl::Now() + kTimeout;
    CO_ASSIGN_OR_RETURN(const Found found, co_await parts_.pool.Read<Found>(every, std::move(find)));
    for (const OverdueOrder& overdue : found) {
      if (stop.stop_requested()) break;
      CO_RETURN_IF_ERROR(co_await Check(overdue));
    }
    if (found.size() < kPage) break;
    last = found.back();
  }
  co_return absl::OkStatus();
}

async::Task<absl::Status> Reconciler::Check(const OverdueOrder& overdue) {
  const RequestContext context = parts_.tokens.ContextFor(overdue.tenant, absl::Now() + kTimeout);
  inventory::GetReservationRequest request;
  request.set_reservation_id(overdue.reservation_id);
  const absl::StatusOr<inventory::Reservation> reservation =
      co_await parts_.inventory.Call(&rpc::Async<inventory::Inventory>::GetReservation, request, context);
  if (!reservation.ok() && !absl::IsNotFound(reservation.status())) co_return reservation.status();
  const auto status = reservation.ok() ? reservation->status() : inventory::RESERVATION_STATUS_RELEASED;
  switch (status) {
    case inventory::RESERVATION_STATUS_COMMITTED:
      co_return co_await CheckCommitted(overdue, context);
    case inventory::RESERVATION_STATUS_HELD:
      if (overdue.overdue > kSweptAfter) Report("hold_not_swept", overdue.order, context);
      co_return absl::OkStatus();
    case inventory::RESERVATION_STATUS_SHIPPED:
      Report("shipped_but_pending", overdue.order, context);
      co_return absl::OkStatus();
    default:
      break;
  }
  CO_RETURN_IF_ERROR(co_await Expire(overdue.order, context));
  Mended("expired_unheard", overdue.order, context);
  co_return absl::OkStatus();
}

async::Task<absl::Status> Reconciler::CheckCommitted(const OverdueOrder& overdue,
                                                     const RequestContext& context) {
  if (overdue.payment_method == PaymentMethod::kCashOnDelivery) {
    BeginProcess commit{.process = NewProcess(ProcessKind::kCommit, overdue.order, context),
                        .role = Role::kService};
    co_return (co_await BeginOf(std::move(commit), "commit_not_noted", context)).status();
  }
  payment::ListPaymentsRequest request;
  request.set_order_id(overdue.order.str());
  CO_ASSIGN_OR_RETURN(
      const payment::ListPaymentsResponse payments,
      co_await parts_.payments.Call(&rpc::Async<payment::Payments>::ListPayments, request, context));
  for (const payment::Payment& made : payments.payments()) {
    if (made.status() != payment::PAYMENT_STATUS_SUCCEEDED) continue;
    SettledPayment settled{.payment = PaymentId::Trusted(made.payment_id()),
                           .order = overdue.order,
                           .amount = {made.amount(), Currency::Trusted(made.currency())},
                           .reference = made.reference()};
    co_return co_await Settle(std::move(settled), context);
  }
  // Committed for a payment that is not under way any more and was not made.
  BeginProcess cancel{.process = NewProcess(ProcessKind::kCancel, overdue.order, context),
                      .role = Role::kService};
  cancel.process.reason = kExpiredReason;
  co_return (co_await BeginOf(std::move(cancel), "committed_unpaid", context)).status();
}

async::Task<absl::StatusOr<Reconciler::Seen>> Reconciler::Read(const OrderId& order,
                                                               const RequestContext& context) {
  std::function<absl::StatusOr<Seen>(postgres::Session&)> read =
      [&](postgres::Session& session) -> absl::StatusOr<Seen> {
    // First what is under way: when it ends in between, the order is read as it is after that.
    const OrderKey key{context.tenant.str(), order.str()};
    std::map<OrderKey, Process> under_way = ReadProcesses(session, {key});
    const auto found = under_way.find(key);
    ASSIGN_OR_RETURN(Order read_order, ReadOrder(session, context.tenant, order, ""));
    return Seen{std::move(read_order),
                found == under_way.end() ? std::nullopt : std::optional(std::move(found->second))};
  };
  co_return co_await parts_.pool.Read<Seen>(context, std::move(read));
}

}  // namespace bv::order
