// What an operator may ask for, and the words for it. Pure.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/id.h"

namespace bv::replay {

BV_DEFINE_ID(ReplayId, "rpl");

enum class Purpose { kRebuild, kVerify, kPointInTime };
enum class State { kBuilding, kComparing, kDone, kDifferent, kFailed, kCanceled };

// As in rows, answers and metrics.
std::string_view Word(Purpose purpose);
std::string_view Word(State state);
// The inverse, for rows of the own database; the first value for a word that is none.
Purpose PurposeOf(std::string_view word);
State StateOf(std::string_view word);

struct PartitionOffset {
  std::string topic;
  int partition = 0;
  // Of the first message that is not applied.
  std::int64_t offset = 0;
};

struct Request {
  std::string projection;
  Purpose purpose = Purpose::kRebuild;
  bool accept_differences = false;
  bool pass_over_refused = false;
  // Of kPointInTime, one of the two.
  std::optional<absl::Time> until_time;
  std::vector<PartitionOffset> until_offsets;
};

// INVALID_ARGUMENT names the field that does not go with the purpose, or a partition that is named twice or
// by what cannot be one.
absl::Status CheckRequest(const Request& request);

}  // namespace bv::replay
