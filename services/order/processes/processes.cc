#include "services/order/processes/processes.h"

#include <absl/random/random.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include "libs/base/crash_point.h"
#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/resilience/backoff.h"
#include "libs/telemetry/telemetry.h"
#include "services/order/domain/words.h"
#include "services/order/store/order_rows.h"

namespace bv::order {
namespace {

namespace asio = boost::asio;

// Driven by one replica at a time.
constexpr int kDrivesMax = 2048;
// The share of the lease that the calls may take, so that the outcome is stored before somebody else begins.
constexpr double kShareOfCalls = 0.8;
// Of one transaction, with its turn in the lane.
constexpr absl::Duration kStoreTimeout = absl::Seconds(5);
// So long before its deadline a caller is told that the end is not known.
constexpr absl::Duration kTimeToAnswer = absl::Milliseconds(300);
// From this attempt on something is wrong that does not go away by itself.
constexpr int kAttemptsToReport = 8;

void CrashWhenFinished(ProcessKind kind) {
  switch (kind) {
    case ProcessKind::kCommit:
      return CrashPoint("order.commit.finished");
    case ProcessKind::kPay:
      return CrashPoint("order.pay.finished");
    case ProcessKind::kConfirm:
      return CrashPoint("order.confirm.finished");
    case ProcessKind::kCancel:
      return CrashPoint("order.cancel.finished");
    case ProcessKind::kFulfill:
      return CrashPoint("order.fulfill.finished");
  }
}

telemetry::Labels LabelsOf(ProcessKind kind) {
  return {{"kind", std::string(Word(kind))}};
}
prometheus::Histogram& DurationOf(ProcessKind kind) {
  return telemetry::Histogram("order_process_duration_ms", "From the begin of a drive to the stored end.",
                              telemetry::LatencyMillis(), LabelsOf(kind));
}
prometheus::Counter& FailuresOf(ProcessKind kind) {
  return telemetry::Counter("order_process_postponed_total", "Drives that came to no end and are repeated.",
                            LabelsOf(kind));
}

bool IsAboutMoney(ProcessKind kind) {
  return kind == ProcessKind::kPay || kind == ProcessKind::kConfirm;
}

absl::Status NotEndedYet(ProcessKind kind) {
  if (IsAboutMoney(kind)) {
    return Unavailable(
        "PAYMENT_PENDING",
        "the outcome of the payment is not known yet; it is settled without another call and never "
        "charged twice");
  }
  return Unavailable("PROCESS_PENDING",
                     "what was begun with the order has not ended yet; it goes on by itself");
}

// What the end of a process is to those who asked for it.
absl::StatusOr<Order> AnswerOf(const Process& process, Order order) {
  if (IsAboutMoney(process.kind) && order.status == Status::kCanceled) {
    const absl::Status refused =
        process.kind == ProcessKind::kPay ? CheckPay(order) : CheckConfirm(order, order.total);
    return refused.ok() ? absl::InternalError("a canceled order can be paid") : refused;
  }
  for (const ShipmentId& id : process.shipments) {
    if (std::ranges::find(order.shipments, id, &Shipment::id) == order.shipments.end()) {
      return Error(absl::StatusCode::kFailedPrecondition, "ORDER_STATE",
                   "inventory does not hand out the stock of the shipment; it was dropped");
    }
  }
  return order;
}

}  // namespace

Processes::Processes(asio::io_context& io, postgres::Pool& pool, ChangeLanes& lanes, Steps& steps,
                     auth::ServiceTokens& tokens, absl::Duration lease)
    : io_(io), pool_(pool), lanes_(lanes), steps_(steps), tokens_(tokens), lease_(lease) {}

Processes::~Processes() {
  Stop(absl::InfinitePast());
}

async::Task<absl::StatusOr<Processes::Outcome>> Processes::Run(BeginProcess begin,
                                                               const RequestContext& context) {
  const ProcessKind kind = begin.process.kind;
  CO_ASSIGN_OR_RETURN(Changed changed, co_await Begin(begin, context));
  while (changed.how == Changed::How::kBehind) {
    CO_RETURN_IF_ERROR((co_await AwaitEnd(*std::move(changed.process), context)).status());
    CO_ASSIGN_OR_RETURN(changed, co_await Begin(begin, context));
  }
  Outcome outcome{.order = std::move(changed.order), .repeated = changed.how == Changed::How::kRepeated};
  // A repeat finds its first call's process ended, or some other one under way.
  if (changed.process && changed.process->kind == kind) {
    CO_ASSIGN_OR_RETURN(outcome.order, co_await AwaitEnd(*std::move(changed.process), context));
  }
  co_return outcome;
}

async::Task<absl::StatusOr<Changed>> Processes::Begin(BeginProcess begin, const RequestContext& context) {
  if (room() <= 0) co_return Overloaded("too many orders are being changed");
  begin.lease = lease_;
  const OrderId order = begin.process.order;
  Change change{order, std::move(begin)};
  CO_ASSIGN_OR_RETURN(Changed changed, co_await lanes_.Submit(order.str(), std::move(change), context));
  if (changed.how == Changed::How::kDone || changed.how == Changed::How::kBehind)
    Launch({context.tenant, *changed.process}, changed.order);
  co_return changed;
}

void Processes::Launch(TenantProcess owned, std::optional<Order> order) {
  auto drive = std::make_shared<Drive>(io_, std::move(owned), std::move(order));
  {
    const absl::MutexLock lock(&mutex_);
    if (stopped_ || drives_.size() >= kDrivesMax) return;
    if (!drives_.try_emplace(drive->owned().process.id, drive).second) return;
  }
  asio::co_spawn(io_, Go(std::move(drive)), [](std::exception_ptr) {});
}

int Processes::room() const {
  const absl::MutexLock lock(&mutex_);
  return stopped_ ? 0 : kDrivesMax - static_cast<int>(drives_.size());
}

void Processes::Stop(absl::Time deadline) {
  const absl::MutexLock lock(&mutex_);
  stopped_ = true;
  const auto none = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return drives_.empty(); };
  if (mutex_.AwaitWithDeadline(absl::Condition(&none), deadline)) return;
  stop_.request_stop();
  mutex_.Await(absl::Condition(&none));
}

async::Task<void> Processes::Go(std::shared_ptr<Drive> drive) {
  const absl::StatusOr<Changed> changed = co_await Advance(*drive);
  if (!changed.ok()) co_await Postpone(*drive, changed.status());
  {
    const absl::MutexLock lock(&mutex_);
    drives_.erase(drive->owned().process.id);
  }
  drive->End(changed.ok() ? std::optional(changed->order) : std::nullopt);
}

async::Task<absl::StatusOr<Changed>> Processes::Advance(const Drive& drive) {
  const Process& process = drive.owned().process;
  const RequestContext context = ContextOf(drive.owned(), lease_ * kShareOfCalls);
  std::optional<Order> order = drive.order();
  if (!order) {
    std::function<absl::StatusOr<Order>(postgres::Session&)> read = [&](postgres::Session& session) {
      return ReadOrder(session, context.tenant, process.order, "");
    };
    CO_ASSIGN_OR_RETURN(order, co_await pool_.Read<Order>(context, std::move(read)));
  }
  CO_ASSIGN_OR_RETURN(FinishProcess finish, co_await steps_.Run(process, *order, context));
  RequestContext storing = ContextOf(drive.owned(), kStoreTimeout);
  storing.stop = {};
  Change change{process.order, std::move(finish)};
  CO_ASSIGN_OR_RETURN(Changed changed,
                      co_await lanes_.Submit(process.order.str(), std::move(change), storing));
  CrashWhenFinished(process.kind);
  DurationOf(process.kind).Observe(absl::ToDoubleMilliseconds(absl::Now() - drive.begun_at()));
  telemetry::Log(telemetry::Level::kInfo, context, "order process ended",
                 {{"orderId", process.order.str()},
                  {"kind", Word(process.kind)},
                  {"status", Word(changed.order.status)},
                  {"paymentStatus", Word(changed.order.payment_status)},
                  {"attempts", process.attempts}});
  co_return changed;
}

async::Task<void> Processes::Postpone(const Drive& drive, absl::Status why) {
  const Process& process = drive.owned().process;
  FailuresOf(process.kind).Increment();
  absl::BitGen random;
  const absl::Duration pause = stop_.stop_requested()
                                   ? absl::ZeroDuration()
                                   : PauseAfter(process.attempts, absl::Uniform(random, 0.0, 1.0));
  const RequestContext context = ContextOf(drive.owned(), kStoreTimeout);
  telemetry::Log(process.attempts >= kAttemptsToReport ? telemetry::Level::kError : telemetry::Level::kWarn,
                 context, "an order process came to no end and will be repeated",
                 {{"orderId", process.order.str()},
                  {"kind", Word(process.kind)},
                  {"attempts", process.attempts},
                  {"pause", pause},
                  {"error", why}});
  std::function<absl::StatusOr<bool>(postgres::Session&)> postpone =
      [&](postgres::Session& session) -> absl::StatusOr<bool> {
    PostponeProcess(session, drive.owned(), pause, why.ToString());
    return true;
  };
  RequestContext storing = context;
  storing.stop = {};
  const absl::StatusOr<bool> postponed = co_await pool_.Transact<bool>(storing, std::move(postpone));
  // Then it is due when its lease is over.
  if (!postponed.ok()) {
    telemetry::LogLimited(telemetry::Level::kWarn, "the pause of an order process was not stored",
                          {{"error", postponed.status()}});
  }
}

async::Task<absl::StatusOr<Order>> Processes::AwaitEnd(Process process, const RequestContext& context) {
  const absl::Time until = context.deadline - kTimeToAnswer;
  resilience::Backoff pauses({.min = absl::Milliseconds(20), .max = absl::Milliseconds(500)});
  while (true) {
    if (const std::shared_ptr<Drive> drive = Find(process)) {
      const std::optional<Order> ended = co_await drive->Wait(until);
      if (ended) co_return AnswerOf(process, *ended);
    } else {
      CO_ASSIGN_OR_RETURN(std::optional<Order> ended, co_await ReadEnd(process, context));
      if (ended) co_return AnswerOf(process, *std::move(ended));
    }
    // Another replica drives it, or it has been postponed.
    const absl::Duration pause = *pauses.Next();
    if (absl::Now() + pause >= until) co_return NotEndedYet(process.kind);
    asio::steady_timer timer(co_await asio::this_coro::executor, absl::ToChronoNanoseconds(pause));
    co_await timer.async_wait(asio::use_awaitable);
  }
}

std::shared_ptr<Drive> Processes::Find(const Process& process) const {
  const absl::MutexLock lock(&mutex_);
  const auto found = drives_.find(process.id);
  return found == drives_.end() ? nullptr : found->second;
}

async::Task<absl::StatusOr<std::optional<Order>>> Processes::ReadEnd(const Process& process,
                                                                     const RequestContext& context) {
  using Ended = std::optional<Order>;
  std::function<absl::StatusOr<Ended>(postgres::Session&)> read =
      [&](postgres::Session& session) -> absl::StatusOr<Ended> {
    const OrderKey key{context.tenant.str(), process.order.str()};
    const std::map<OrderKey, Process> under_way = ReadProcesses(session, {key});
    if (const auto found = under_way.find(key); found != under_way.end() && found->second.id == process.id)
      return Ended();
    ASSIGN_OR_RETURN(Order order, ReadOrder(session, context.tenant, process.order, ""));
    return Ended(std::move(order));
  };
  co_return co_await pool_.Read<Ended>(context, std::move(read));
}

RequestContext Processes::ContextOf(const TenantProcess& owned, absl::Duration timeout) const {
  RequestContext began;
  began.trace = owned.process.trace;
  began.correlation_id = owned.process.correlation_id;
  RequestContext context = tokens_.ContextFor(owned.tenant, absl::Now() + timeout, began);
  context.stop = stop_.get_token();
  return context;
}

}  // namespace bv::order
