#include "services/payment-gateway-simulator/gateway/faults.h"

#include <algorithm>
#include <array>

namespace bv::simulator {
namespace {

// In the order of the enums.
constexpr std::array<std::string_view, 14> kFaults{
    "NONE",       "SLOW",  "LATE_ANSWER", "ERROR",     "ERROR_AFTER", "HANG", "DROP_BEFORE",
    "DROP_AFTER", "FAULT", "FAULT_AFTER", "MALFORMED", "ENTITY_BOMB", "HUGE", "RANDOM"};
constexpr std::array<std::string_view, 3> kOperations{"CHARGE", "LOOKUP", "REFUND"};

template <class Enum, std::size_t N>
std::optional<Enum> Find(const std::array<std::string_view, N>& words, std::string_view word) {
  const auto found = std::ranges::find(words, word);
  if (found == words.end()) return std::nullopt;
  return static_cast<Enum>(found - words.begin());
}

}  // namespace

std::string_view Word(Fault fault) {
  return kFaults[static_cast<std::size_t>(fault)];
}
std::optional<Fault> FaultOf(std::string_view word) {
  return Find<Fault>(kFaults, word);
}
std::string_view Word(Operation operation) {
  return kOperations[static_cast<std::size_t>(operation)];
}
std::optional<Operation> OperationOf(std::string_view word) {
  return Find<Operation>(kOperations, word);
}

void Faults::Tell(Instruction instruction) {
  const absl::MutexLock lock(&mutex_);
  random_.seed(instruction.seed);
  told_ = std::move(instruction);
  used_up_ = false;
}

Plan Faults::Next(Operation operation) {
  const absl::MutexLock lock(&mutex_);
  if (told_.fault == Fault::kNone || used_up_) return {};
  if (told_.operation && told_.operation != operation) return {};
  if (told_.times > 0 && --told_.times == 0) used_up_ = true;
  if (told_.fault != Fault::kRandom) return {.fault = told_.fault, .latency = told_.latency};
  if (std::uniform_real_distribution<double>(0, 1)(random_) >= told_.share) return {};
  const int drawn = std::uniform_int_distribution<int>(static_cast<int>(Fault::kSlow),
                                                       static_cast<int>(Fault::kHuge))(random_);
  const double part = std::uniform_real_distribution<double>(0, 1)(random_);
  return {.fault = static_cast<Fault>(drawn), .latency = part * told_.latency};
}

std::string Faults::DeclineReason(const std::string& amount) {
  const absl::MutexLock lock(&mutex_);
  if (told_.decline_amounts.contains(amount)) return "INSUFFICIENT_FUNDS";
  if (told_.decline_next == 0) return "";
  --told_.decline_next;
  return "DECLINED";
}

Instruction Faults::told() const {
  const absl::MutexLock lock(&mutex_);
  Instruction told = told_;
  if (used_up_) told.fault = Fault::kNone;
  return told;
}

}  // namespace bv::simulator
