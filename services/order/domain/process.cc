#include "services/order/domain/process.h"

#include <algorithm>
#include <array>

namespace bv::order {
namespace {

// In the order of the enum.
constexpr std::array<std::string_view, 5> kKinds{"COMMIT", "PAY", "CONFIRM", "CANCEL", "FULFILL"};

}  // namespace

Process NewProcess(ProcessKind kind, const OrderId& order, const RequestContext& context) {
  return {.order = order,
          .kind = kind,
          .id = UuidToBase32(NewUuid()),
          .actor = context.user_id,
          .correlation_id = context.correlation_id,
          .trace = context.trace};
}

absl::Duration PauseAfter(int attempts, double chance) {
  constexpr int kDoublingsMax = 7;
  const absl::Duration longest =
      std::min(absl::Milliseconds(250) * (1 << std::clamp(attempts, 0, kDoublingsMax)), absl::Seconds(30));
  return longest * (1 - chance / 2);
}

std::string_view Word(ProcessKind kind) {
  return kKinds[static_cast<std::size_t>(kind)];
}

ProcessKind ProcessKindOf(std::string_view word) {
  const auto found = std::ranges::find(kKinds, word);
  return found == kKinds.end() ? ProcessKind{} : static_cast<ProcessKind>(found - kKinds.begin());
}

}  // namespace bv::order
