#include "services/payment-adapter/providers/card_provider.h"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include "libs/base/crash_point.h"
#include "libs/base/error.h"
#include "libs/base/id.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "services/payment-adapter/domain/words.h"
#include "services/payment-adapter/providers/crash_points.h"

// A false alarm of GCC 12 about the frames of large coroutines.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace bv::payment {
namespace {

namespace asio = boost::asio;

// Less time than this is too short for a request.
constexpr absl::Duration kLeastTime = absl::Milliseconds(20);
// For what has to be stored after the caller has gone.
constexpr absl::Duration kStoreTimeout = absl::Seconds(5);
constexpr int kStoreAttempts = 3;
// A call that waits for another one looks this often.
constexpr resilience::BackoffSettings kLook{.min = absl::Milliseconds(5), .max = absl::Milliseconds(200)};

// The context of work that goes on when the caller has gone.
RequestContext Detached(RequestContext context) {
  context.stop = {};
  context.deadline = absl::Now() + kStoreTimeout;
  return context;
}

// Returns false at once when `time` would not leave enough of the call's.
async::Task<bool> Wait(absl::Duration time, const RequestContext& context) {
  if (context.stop.stop_requested() || absl::Now() + time + kLeastTime > context.deadline) co_return false;
  if (time > absl::ZeroDuration()) {
    asio::steady_timer timer(co_await asio::this_coro::executor, absl::ToChronoNanoseconds(time));
    co_await timer.async_wait(asio::use_awaitable);
  }
  co_return true;
}

bool HasFailed(Outcome outcome) {
  return outcome == Outcome::kFault || outcome == Outcome::kRefused || outcome == Outcome::kUnknown;
}

absl::Status OutcomeUnknown(const Payment& payment, std::string_view why) {
  return Unavailable("PAYMENT_OUTCOME_UNKNOWN",
                     Concat("what came of the payment ", payment.id.str(), " is not known yet: ", why,
                            "; call again with the same paymentId"));
}

}  // namespace

void CardSettings::Bind(config::Binder& b) {
  b.Integer("gateway.attempts_max", attempts_max, {1, 100});
  b.Duration("gateway.attempt_timeout", attempt_timeout, {absl::Milliseconds(10), absl::Minutes(5)});
  b.Duration("gateway.backoff_min", backoff.min, {absl::Milliseconds(1), absl::Minutes(1)});
  b.Duration("gateway.backoff_max", backoff.max, {absl::Milliseconds(1), absl::Minutes(5)});
  b.Duration("gateway.lease", lease, {absl::Milliseconds(20), absl::Minutes(10)});
}

absl::Status CardSettings::Check() const {
  if (lease > attempt_timeout) return absl::OkStatus();
  return InvalidValue("gateway.lease", "gateway.lease must be longer than gateway.attempt_timeout");
}

CardProvider::CardProvider(postgres::Pool& pool, GuardedGateway& soap, GuardedGateway& rest,
                           const CardSettings& settings)
    : pool_(pool),
      soap_(soap),
      rest_(rest),
      settings_(settings),
      unknown_(telemetry::Counter("payment_outcome_unknown_total",
                                  "Calls that ended without knowing an outcome.")),
      fallbacks_(telemetry::Counter("payment_gateway_fallbacks_total",
                                    "Charges that went to the second gateway.")) {}

async::Task<absl::StatusOr<Payment>> CardProvider::Process(Payment asked, const RequestContext& context) {
  asked.status = Status::kProcessing;
  const Lease lease = NewLease();
  std::function<absl::StatusOr<Claim>(postgres::Session&)> open = [&](postgres::Session& session) {
    return OpenPayment(session, context.tenant, asked, lease);
  };
  CrashPoint("payment.open.before");
  CO_ASSIGN_OR_RETURN(Claim claim, co_await pool_.Transact<Claim>(context, std::move(open)));
  CrashPoint("payment.open.after");
  // One that is being refunded was paid: the answer is not held up by its refund.
  if (claim.payment.status == Status::kRefunding) {
    if (claim.is_ours) co_await Release(claim.payment.id, lease, context);
    co_return std::move(claim.payment);
  }
  co_return co_await Complete(std::move(claim), lease, context);
}

async::Task<absl::StatusOr<Payment>> CardProvider::Confirm(PaymentId id, Money money, std::string reference,
                                                           const RequestContext& context) {
  std::function<absl::StatusOr<Payment>(postgres::Session&)> confirm = [&](postgres::Session& session) {
    return ConfirmPayment(session, context, id, money, reference);
  };
  co_return co_await pool_.Transact<Payment>(context, std::move(confirm));
}

async::Task<absl::StatusOr<Payment>> CardProvider::Refund(PaymentId id, std::string reason,
                                                          const RequestContext& context) {
  const Lease lease = NewLease();
  std::function<absl::StatusOr<Claim>(postgres::Session&)> open = [&](postgres::Session& session) {
    return OpenRefund(session, context.tenant, id, reason, lease);
  };
  CrashPoint("payment.refund.before");
  CO_ASSIGN_OR_RETURN(Claim claim, co_await pool_.Transact<Claim>(context, std::move(open)));
  CrashPoint("payment.refund.after");
  co_return co_await Complete(std::move(claim), lease, context);
}

async::Task<absl::StatusOr<Payment>> CardProvider::Complete(Claim claim, Lease lease,
                                                            const RequestContext& context) {
  resilience::Backoff look(kLook);
  while (IsUnderWay(claim.payment.status)) {
    if (claim.is_ours) {
      absl::StatusOr<Payment> driven = co_await Drive(claim.payment, lease, context);
      if (!IsLeaseLost(driven.status())) co_return driven;
    } else if (!co_await Wait(*look.Next(), context)) {
      unknown_.Increment();
      co_return OutcomeUnknown(claim.payment, "another call is still at it");
    }
    std::function<absl::StatusOr<Claim>(postgres::Session&)> again = [&](postgres::Session& session) {
      return ClaimPayment(session, context.tenant, claim.payment.id, lease);
    };
    CO_ASSIGN_OR_RETURN(claim, co_await pool_.Transact<Claim>(context, std::move(again)));
  }
  if (claim.is_ours) co_await Release(claim.payment.id, lease, context);
  co_return std::move(claim.payment);
}

async::Task<absl::StatusOr<Payment>> CardProvider::Drive(Payment payment, Lease lease,
                                                         const RequestContext& context) {
  Course course(settings_.attempts_max);
  resilience::Backoff backoff(settings_.backoff);
  // The database's time, or a little earlier.
  absl::Time database_now = absl::InfiniteFuture();
  absl::Duration pause;
  while (IsUnderWay(payment.status)) {
    const std::optional<Step> step = course.Next(payment);
    if (!step || !co_await Wait(std::max(pause, step->not_before - database_now), context)) break;
    std::optional<Admitted> admitted = Admit(*step);
    if (!admitted) break;
    absl::StatusOr<Tried> tried = co_await Try(payment, step->operation, *admitted, lease, context);
    if (!tried.ok()) {
      if (!IsLeaseLost(tried.status())) co_await Release(payment.id, lease, context);
      co_return tried.status();
    }
    payment = std::move(tried->payment);
    course.Note(tried->attempt);
    database_now = tried->attempt.started_at + tried->attempt.duration;
    pause = HasFailed(tried->attempt.outcome) ? *backoff.Next() : absl::ZeroDuration();
  }
  if (!IsUnderWay(payment.status)) co_return payment;
  co_await Release(payment.id, lease, context);
  co_return StillUnderWay(payment);
}

async::Task<absl::StatusOr<CardProvider::Tried>> CardProvider::Try(const Payment& payment,
                                                                   Operation operation, Admitted& admitted,
                                                                   const Lease& lease,
                                                                   const RequestContext& context) {
  GuardedGateway& gateway = *admitted.gateway;
  // From before the transaction on, so that the time that it writes down is never too early.
  const absl::Time give_up = std::min(absl::Now() + settings_.attempt_timeout, context.deadline);
  const absl::Duration over_after = settings_.attempt_timeout + gateway.processing_max();
  std::function<absl::StatusOr<BegunAttempt>(postgres::Session&)> write = [&](postgres::Session& session) {
    return BeginAttempt(session, context.tenant, payment.id, operation, gateway.name(), over_after, lease);
  };
  PassCrashPoint(operation, Moment::kBegin);
  CO_ASSIGN_OR_RETURN(BegunAttempt begun, co_await pool_.Transact<BegunAttempt>(context, std::move(write)));
  PassCrashPoint(operation, Moment::kBegun);
  if (operation == Operation::kCharge && gateway.name() == GatewayName::kRest) fallbacks_.Increment();
  const absl::Time sent = absl::Now();

  GatewayRequest request{.operation = operation,
                         .order = Concat(context.tenant.str(), ":", payment.order.str()),
                         .money = payment.money};
  const Result result = co_await gateway.Send(std::move(admitted.permit), std::move(request), give_up);
  PassCrashPoint(operation, Moment::kAnswered);
  begun.attempt.outcome = result.outcome;
  begun.attempt.duration = absl::Now() - sent;
  telemetry::Log(HasFailed(result.outcome) ? telemetry::Level::kWarn : telemetry::Level::kInfo, context,
                 "gateway answered",
                 {{"paymentId", payment.id.str()},
                  {"gateway", Word(gateway.name())},
                  {"operation", Word(operation)},
                  {"outcome", Word(result.outcome)},
                  {"detail", result.detail}});
  Tried tried{.attempt = begun.attempt};
  CO_ASSIGN_OR_RETURN(tried.payment, co_await Store(begun, result, lease, context));
  PassCrashPoint(operation, Moment::kStored);
  co_return tried;
}

async::Task<absl::StatusOr<Payment>> CardProvider::Store(const BegunAttempt& begun, const Result& result,
                                                         const Lease& lease, const RequestContext& context) {
  absl::StatusOr<Payment> stored;
  for (int attempt = 0; attempt < kStoreAttempts; ++attempt) {
    const RequestContext detached = Detached(context);
    std::function<absl::StatusOr<Payment>(postgres::Session&)> finish = [&](postgres::Session& session) {
      return FinishAttempt(session, detached, begun, result, lease);
    };
    stored = co_await pool_.Transact<Payment>(detached, std::move(finish));
    if (stored.ok()) co_return stored;
  }
  telemetry::Log(telemetry::Level::kError, context, "the outcome of a request to a gateway was not stored",
                 {{"paymentId", begun.before.id.str()}, {"error", stored.status()}});
  unknown_.Increment();
  co_return OutcomeUnknown(begun.before, "the answer could not be stored");
}

async::Task<void> CardProvider::Release(PaymentId id, Lease lease, const RequestContext& context) {
  const RequestContext detached = Detached(context);
  std::function<absl::StatusOr<bool>(postgres::Session&)> release =
      [&](postgres::Session& session) -> absl::StatusOr<bool> {
    ReleaseLease(session, detached.tenant, id, lease.holder);
    return true;
  };
  const absl::StatusOr<bool> released = co_await pool_.Transact<bool>(detached, std::move(release));
  if (!released.ok()) {
    telemetry::Log(telemetry::Level::kWarn, context, "a lease was not given back; it runs out",
                   {{"paymentId", id.str()}, {"error", released.status()}});
  }
}

std::optional<CardProvider::Admitted> CardProvider::Admit(const Step& step) {
  for (const GatewayName name : step.gateways) {
    GuardedGateway& gateway = Find(name);
    if (std::optional<GuardedGateway::Permit> permit = gateway.Admit())
      return Admitted{&gateway, *std::move(permit)};
  }
  return std::nullopt;
}

Lease CardProvider::NewLease() const {
  return {.holder = UuidToString(NewUuid()), .time = settings_.lease};
}

absl::Status CardProvider::StillUnderWay(const Payment& payment) {
  if (!payment.in_doubt()) {
    return Unavailable("GATEWAYS_UNAVAILABLE", "no payment gateway can be reached; nothing has happened",
                       std::max(absl::Seconds(1), soap_.ClosedFor()));
  }
  unknown_.Increment();
  return OutcomeUnknown(payment, Concat("the gateway ", Word(payment.gateway), " has not said"));
}

}  // namespace bv::payment
