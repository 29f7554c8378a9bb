// What a gateway has been told to do wrong.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/status/statusor.h>
#include <absl/synchronization/mutex.h>
#include <absl/time/time.h>

#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>

namespace bv::simulator {

enum class Operation { kCharge, kLookUp, kRefund };

// A request is processed unless the fault says otherwise.
enum class Fault {
  kNone,
  kSlow,        // waits for the latency, then processes and answers, whether the client is still there or not
  kLateAnswer,  // processes at once and answers after the latency
  kError,       // HTTP 500 without an envelope; not processed
  kErrorAfter,  // the same, processed
  kHang,        // never answers; not processed
  kDropBefore,  // closes the connection; not processed
  kDropAfter,   // processes and closes the connection
  kFault,       // a SOAP fault of the server, or the error of the REST gateway; not processed
  kFaultAfter,  // the same, processed
  kMalformed,   // processes and answers half of the answer
  kEntityBomb,  // processes and answers a document of entities in entities
  kHuge,        // processes and answers 8 MB
  kRandom,      // a share of the requests meets one of the above, drawn anew each time
};

// SLOW, LATE_ANSWER …; the words of the control endpoint.
std::string_view Word(Fault fault);
std::optional<Fault> FaultOf(std::string_view word);
std::string_view Word(Operation operation);
std::optional<Operation> OperationOf(std::string_view word);

struct Instruction {
  Fault fault = Fault::kNone;
  // Requests of this kind only; absent: of all.
  std::optional<Operation> operation;
  // For so many requests; 0: until told otherwise.
  int times = 0;
  absl::Duration latency;
  // Of kRandom: which part of the requests, 0 to 1, and the seed of the choice.
  double share = 1;
  std::uint64_t seed = 1;
  // So many charges from now on are declined, as DECLINED.
  int decline_next = 0;
  // Charges of these amounts, in decimal, are declined, as INSUFFICIENT_FUNDS.
  std::set<std::string> decline_amounts;
};

// What is to happen to one request.
struct Plan {
  Fault fault = Fault::kNone;
  absl::Duration latency;
};

// Thread safe.
class Faults {
 public:
  // Takes the place of what was told before.
  void Tell(Instruction instruction);
  Plan Next(Operation operation);
  // Why a charge of this decimal amount is declined; empty when it is not.
  std::string DeclineReason(const std::string& amount);
  Instruction told() const;

 private:
  mutable absl::Mutex mutex_;
  Instruction told_ ABSL_GUARDED_BY(mutex_);
  bool used_up_ ABSL_GUARDED_BY(mutex_) = false;
  std::mt19937_64 random_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bv::simulator
