// One gateway: its ledger, what it has been told to do wrong, and how a request goes through it, whichever
// protocol it came by.
#pragma once

#include <absl/status/statusor.h>

#include <memory>
#include <stop_token>
#include <string>

#include "libs/async/task.h"
#include "libs/telemetry/telemetry.h"
#include "services/payment-gateway-simulator/gateway/faults.h"
#include "services/payment-gateway-simulator/ledger/ledger.h"

namespace bv::simulator {

struct Command {
  Operation operation = Operation::kCharge;
  std::string order;
  // Not of a look-up.
  Money amount;
};

// INVALID_ARGUMENT names the field. `amount` is decimal, with at most the digits of the currency.
absl::StatusOr<Command> MakeCommand(Operation operation, std::string_view order, std::string_view amount,
                                    std::string_view currency);

// What the client gets to see.
enum class Show { kReply, kHangUp, kPlainError, kFault, kMalformed, kEntityBomb, kHuge };

struct Performance {
  Show show = Show::kReply;
  // Errors are refusals of the request; with kReply, kMalformed.
  absl::StatusOr<Reply> reply = Reply();
};

// Thread safe.
class Gateway {
 public:
  // A request is processed within `processing_max` of its arrival, or never.
  Gateway(const std::string& name, std::unique_ptr<Ledger> ledger, absl::Duration processing_max);

  // `stop` ends the waiting of a client that has gone only where nothing would be processed any more.
  async::Task<Performance> Perform(Command command, std::stop_token stop);

  Ledger& ledger() { return *ledger_; }
  Faults& faults() { return faults_; }
  absl::Duration processing_max() const { return processing_max_; }

 private:
  absl::StatusOr<Reply> Execute(const Command& command);

  const std::unique_ptr<Ledger> ledger_;
  Faults faults_;
  const absl::Duration processing_max_;
  prometheus::Counter& charged_;
};

// APPROVED, DECLINED, REFUNDED or NOT_FOUND.
std::string_view Word(PaymentState state);
std::string DecimalOf(const Money& amount);

// Answers without meaning, for Show.
const std::string& EntityBomb();
std::string HugeText();

}  // namespace bv::simulator
