// The words for states in rows, events and metrics; the same as the API's.
#pragma once

#include <string_view>

#include "services/payment-adapter/domain/payment.h"

namespace bv::payment {

std::string_view Word(Status status);
std::string_view Word(Method method);
// Empty for none.
std::string_view Word(GatewayName gateway);
std::string_view Word(Operation operation);
std::string_view Word(Outcome outcome);

// The inverse, for rows of the own database; the first value for a word that is none.
Status StatusOf(std::string_view word);
Method MethodOf(std::string_view word);
GatewayName GatewayOf(std::string_view word);
Operation OperationOf(std::string_view word);
Outcome OutcomeOf(std::string_view word);

}  // namespace bv::payment
