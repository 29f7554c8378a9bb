// The control endpoint's JSON ↔ instructions.
#pragma once

#include <absl/status/statusor.h>

#include <string>

#include "services/payment-gateway-simulator/gateway/faults.h"
#include "services/payment-gateway-simulator/http/json_object.h"

namespace bv::simulator {

// INVALID_ARGUMENT names the member: an unknown one, or a value that is out of bounds. A latency is at most
// `latency_max`.
absl::StatusOr<Instruction> InstructionOf(const JsonObject& object, absl::Duration latency_max);
void AppendInstruction(const Instruction& instruction, std::string& out);

}  // namespace bv::simulator
