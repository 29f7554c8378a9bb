#include "services/payment-adapter/domain/words.h"

#include <algorithm>
#include <array>

namespace bv::payment {
namespace {

// In the order of the enums.
constexpr std::array<std::string_view, 6> kStatus{"PROCESSING", "PENDING",   "SUCCEEDED",
                                                  "FAILED",     "REFUNDING", "REFUNDED"};
constexpr std::array<std::string_view, 3> kMethod{"CARD", "BANK_TRANSFER", "CASH_ON_DELIVERY"};
constexpr std::array<std::string_view, 3> kGateway{"", "SOAP", "REST"};
constexpr std::array<std::string_view, 3> kOperation{"CHARGE", "LOOKUP", "REFUND"};
constexpr std::array<std::string_view, 6> kOutcome{"SUCCEEDED", "DECLINED", "NOT_FOUND",
                                                   "FAULT",     "REFUSED",  "UNKNOWN"};

template <class Enum, std::size_t N>
Enum Find(const std::array<std::string_view, N>& words, std::string_view word) {
  const auto found = std::ranges::find(words, word);
  return found == words.end() ? Enum{} : static_cast<Enum>(found - words.begin());
}

}  // namespace

std::string_view Word(Status status) {
  return kStatus[static_cast<std::size_t>(status)];
}
std::string_view Word(Method method) {
  return kMethod[static_cast<std::size_t>(method)];
}
std::string_view Word(GatewayName gateway) {
  return kGateway[static_cast<std::size_t>(gateway)];
}
std::string_view Word(Operation operation) {
  return kOperation[static_cast<std::size_t>(operation)];
}
std::string_view Word(Outcome outcome) {
  return kOutcome[static_cast<std::size_t>(outcome)];
}

Status StatusOf(std::string_view word) {
  return Find<Status>(kStatus, word);
}
Method MethodOf(std::string_view word) {
  return Find<Method>(kMethod, word);
}
GatewayName GatewayOf(std::string_view word) {
  return Find<GatewayName>(kGateway, word);
}
Operation OperationOf(std::string_view word) {
  return Find<Operation>(kOperation, word);
}
Outcome OutcomeOf(std::string_view word) {
  return Find<Outcome>(kOutcome, word);
}

}  // namespace bv::payment
