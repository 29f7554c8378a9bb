#include "services/payment-gateway-simulator/http/instruction.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_split.h>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/json/json.h"

namespace bv::simulator {
namespace {

constexpr int kCountMax = 1'000'000;
constexpr std::size_t kAmountsMax = 100;

absl::StatusOr<int> CountOf(std::string_view name, std::string_view text, std::int64_t max) {
  int count = 0;
  if (!absl::SimpleAtoi(Absl(text), &count) || count < 0 || count > max)
    return InvalidValue(name, Concat("must be 0 to ", max));
  return count;
}

absl::Status Set(std::string_view name, const std::string& value, absl::Duration latency_max,
                 Instruction& instruction) {
  if (name == "gateway") return absl::OkStatus();
  if (name == "fault") {
    const std::optional<Fault> fault = FaultOf(value);
    if (!fault) return InvalidValue(name, "there is no such fault");
    instruction.fault = *fault;
  } else if (name == "operation") {
    instruction.operation = OperationOf(value);
    if (!instruction.operation) return InvalidValue(name, "must be CHARGE, LOOKUP or REFUND");
  } else if (name == "times") {
    ASSIGN_OR_RETURN(instruction.times, CountOf(name, value, kCountMax));
  } else if (name == "latencyMs") {
    ASSIGN_OR_RETURN(const int millis, CountOf(name, value, absl::ToInt64Milliseconds(latency_max)));
    instruction.latency = absl::Milliseconds(millis);
  } else if (name == "share") {
    if (!absl::SimpleAtod(value, &instruction.share) || !(instruction.share >= 0 && instruction.share <= 1))
      return InvalidValue(name, "must be 0 to 1");
  } else if (name == "seed") {
    if (!absl::SimpleAtoi(value, &instruction.seed)) return InvalidValue(name, "must be a number");
  } else if (name == "declineNext") {
    ASSIGN_OR_RETURN(instruction.decline_next, CountOf(name, value, kCountMax));
  } else if (name == "declineAmounts") {
    const std::vector<std::string> amounts = absl::StrSplit(value, ',', absl::SkipEmpty());
    if (amounts.size() > kAmountsMax) return InvalidValue(name, Concat("must be at most ", kAmountsMax));
    instruction.decline_amounts.insert(amounts.begin(), amounts.end());
  } else {
    return InvalidValue(name, Concat("there is no member ", name));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Instruction> InstructionOf(const JsonObject& object, absl::Duration latency_max) {
  Instruction instruction;
  for (const auto& [name, value] : object) RETURN_IF_ERROR(Set(name, value, latency_max, instruction));
  return instruction;
}

void AppendInstruction(const Instruction& instruction, std::string& out) {
  out += R"({"fault":)";
  json::AppendString(Word(instruction.fault), out);
  if (instruction.operation) {
    out += R"(,"operation":)";
    json::AppendString(Word(*instruction.operation), out);
  }
  out +=
      Concat(R"(,"times":)", instruction.times, R"(,"latencyMs":)",
             absl::ToInt64Milliseconds(instruction.latency), R"(,"share":)", instruction.share, R"(,"seed":)",
             instruction.seed, R"(,"declineNext":)", instruction.decline_next, R"(,"declineAmounts":[)");
  for (const std::string& amount : instruction.decline_amounts) {
    if (out.back() != '[') out += ',';
    json::AppendString(amount, out);
  }
  out += "]}";
}

}  // namespace bv::simulator
