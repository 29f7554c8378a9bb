#include "services/replay/domain/replay.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "libs/base/strings.h"

namespace bv::replay {
namespace {

// In the order of the enums.
constexpr std::array<std::string_view, 3> kPurpose{"REBUILD", "VERIFY", "POINT_IN_TIME"};
constexpr std::array<std::string_view, 6> kState{"BUILDING",  "COMPARING", "DONE",
                                                 "DIFFERENT", "FAILED",    "CANCELED"};

template <class Enum, std::size_t N>
Enum Find(const std::array<std::string_view, N>& words, std::string_view word) {
  const auto found = std::ranges::find(words, word);
  return found == words.end() ? Enum{} : static_cast<Enum>(found - words.begin());
}

}  // namespace

std::string_view Word(Purpose purpose) {
  return kPurpose[static_cast<std::size_t>(purpose)];
}
std::string_view Word(State state) {
  return kState[static_cast<std::size_t>(state)];
}
Purpose PurposeOf(std::string_view word) {
  return Find<Purpose>(kPurpose, word);
}
State StateOf(std::string_view word) {
  return Find<State>(kState, word);
}

absl::Status CheckRequest(const Request& request) {
  const bool has_end = request.until_time.has_value() || !request.until_offsets.empty();
  if (request.purpose == Purpose::kPointInTime && !has_end)
    return InvalidValue("until", "say a time, or offsets, to which the rows are made");
  if (request.purpose != Purpose::kPointInTime && has_end)
    return InvalidValue("until", "only POINT_IN_TIME has an end; the others go to where the live rows are");
  if (request.purpose != Purpose::kRebuild && request.accept_differences)
    return InvalidValue("acceptDifferences", "only REBUILD has the new rows read");
  std::set<std::pair<std::string, int>> named;
  for (std::size_t i = 0; i < request.until_offsets.size(); ++i) {
    const PartitionOffset& end = request.until_offsets[i];
    const std::string field = Concat("offsets.offsets[", i, "]");
    if (end.partition < 0) return InvalidValue(field + ".partition", "must be 0 or more");
    if (end.offset < 0) return InvalidValue(field + ".offset", "must be 0 or more");
    if (!named.emplace(end.topic, end.partition).second)
      return InvalidValue(field, "the partition is named twice");
  }
  return absl::OkStatus();
}

}  // namespace bv::replay
