#include "services/payment-gateway-simulator/gateway/gateway.h"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"

namespace bv::simulator {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kOrderIdMax = 128;
constexpr std::size_t kHugeBytes = 8 << 20;
// A request that hangs looks so often whether its client has gone.
constexpr absl::Duration kHangStep = absl::Milliseconds(50);
constexpr absl::Duration kHangMax = absl::Minutes(5);

bool IsOrderId(std::string_view text) {
  return !text.empty() && text.size() <= kOrderIdMax &&
         text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_:.-") ==
             std::string_view::npos;
}

async::Task<void> Wait(absl::Duration time) {
  asio::steady_timer timer(co_await asio::this_coro::executor, absl::ToChronoNanoseconds(time));
  co_await timer.async_wait(asio::use_awaitable);
}

async::Task<void> WaitUntilGone(std::stop_token stop) {
  const absl::Time end = absl::Now() + kHangMax;
  while (!stop.stop_requested() && absl::Now() < end) co_await Wait(kHangStep);
}

}  // namespace

absl::StatusOr<Command> MakeCommand(Operation operation, std::string_view order, std::string_view amount,
                                    std::string_view currency) {
  if (!IsOrderId(order))
    return InvalidValue("orderId", Concat("must be 1 to ", kOrderIdMax, " of A-Z a-z 0-9 _ : . -"));
  Command command{.operation = operation, .order = std::string(order)};
  if (operation == Operation::kLookUp) return command;
  ASSIGN_OR_RETURN(command.amount.currency, Currency::Parse(currency));
  ASSIGN_OR_RETURN(command.amount.minor_units, ParseDecimal(amount, CurrencyDigits(currency), "amount"));
  if (command.amount.minor_units < 1 || command.amount.minor_units > kAmountMax)
    return InvalidValue("amount", "must be more than 0 and not too large");
  return command;
}

Gateway::Gateway(const std::string& name, std::unique_ptr<Ledger> ledger, absl::Duration processing_max)
    : ledger_(std::move(ledger)),
      processing_max_(processing_max),
      charged_(telemetry::Counter("payment_gateway_simulator_approved_total",
                                  "Charges that were answered APPROVED, new or again.",
                                  {{"gateway", name}})) {}

async::Task<Performance> Gateway::Perform(Command command, std::stop_token stop) {
  const absl::Time arrived = absl::Now();
  const Plan plan = faults_.Next(command.operation);
  switch (plan.fault) {
    case Fault::kHang:
      co_await WaitUntilGone(stop);
      co_return Performance{.show = Show::kHangUp};
    case Fault::kDropBefore:
      co_return Performance{.show = Show::kHangUp};
    case Fault::kError:
      co_return Performance{.show = Show::kPlainError};
    case Fault::kFault:
      co_return Performance{.show = Show::kFault};
    case Fault::kSlow:
      co_await Wait(plan.latency);
      break;
    default:
      break;
  }
  // What it promises in its WSDL, also after the process was halted for a while.
  if (absl::Now() - arrived > processing_max_) co_return Performance{.show = Show::kHangUp};
  Performance performance{.reply = Execute(command)};
  switch (plan.fault) {
    case Fault::kLateAnswer:
      co_await Wait(plan.latency);
      break;
    case Fault::kDropAfter:
      performance.show = Show::kHangUp;
      break;
    case Fault::kErrorAfter:
      performance.show = Show::kPlainError;
      break;
    case Fault::kFaultAfter:
      performance.show = Show::kFault;
      break;
    case Fault::kMalformed:
      performance.show = Show::kMalformed;
      break;
    case Fault::kEntityBomb:
      performance.show = Show::kEntityBomb;
      break;
    case Fault::kHuge:
      performance.show = Show::kHuge;
      break;
    default:
      break;
  }
  co_return performance;
}

absl::StatusOr<Reply> Gateway::Execute(const Command& command) {
  switch (command.operation) {
    case Operation::kLookUp:
      return ledger_->LookUp(command.order);
    case Operation::kRefund:
      return ledger_->Refund(command.order, command.amount);
    case Operation::kCharge:
      break;
  }
  const auto decline = [&] { return faults_.DeclineReason(DecimalOf(command.amount)); };
  absl::StatusOr<Reply> reply = ledger_->Charge(command.order, command.amount, decline);
  if (reply.ok() && reply->state == PaymentState::kApproved) charged_.Increment();
  return reply;
}

std::string_view Word(PaymentState state) {
  switch (state) {
    case PaymentState::kApproved:
      return "APPROVED";
    case PaymentState::kDeclined:
      return "DECLINED";
    case PaymentState::kRefunded:
      return "REFUNDED";
    case PaymentState::kNotFound:
      break;
  }
  return "NOT_FOUND";
}

std::string DecimalOf(const Money& amount) {
  return FormatDecimal(amount.minor_units, CurrencyDigits(amount.currency.code()));
}

const std::string& EntityBomb() {
  static const std::string bomb = [] {
    std::string text = R"(<?xml version="1.0"?><!DOCTYPE bomb [<!ENTITY e0 "boom">)";
    for (int i = 1; i < 10; ++i) {
      text += Concat("<!ENTITY e", i, " \"");
      for (int j = 0; j < 10; ++j) text += Concat("&e", i - 1, ";");
      text += "\">";
    }
    return text +
           R"(]><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><bomb>&e9;</bomb>)"
           R"(</e:Body></e:Envelope>)";
  }();
  return bomb;
}

std::string HugeText() {
  return std::string(kHugeBytes, ' ');
}

}  // namespace bv::simulator
