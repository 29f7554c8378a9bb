// What the fuzz targets share. A target is one file that defines Run.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string_view>

#include "libs/base/error.h"

namespace bv::fuzz {

// Called with every input, one at a time. The memory behind the input is nobody's, so that a read beyond it
// is noticed.
void Run(std::string_view input);

// Ends the process unless it holds, so that the fuzzer keeps the input; `what` says what should have held.
inline void Require(bool holds, std::string_view what) {
  if (holds) return;
  std::cerr << "does not hold: " << what << std::endl;
  std::abort();
}

inline void RequireOk(const absl::Status& status, std::string_view what) {
  if (status.ok()) return;
  std::cerr << "does not hold: " << what << ": " << status << std::endl;
  std::abort();
}

// What a stranger's input may end in: a refusal that programs can branch on, never a fault of ours.
inline void RequireRefusal(const absl::Status& status) {
  const bool is_refusal =
      status.code() == absl::StatusCode::kInvalidArgument && !GetErrorDetail(status).reason.empty();
  if (!is_refusal) RequireOk(status, "a refusal is INVALID_ARGUMENT with a reason");
}

// Takes the first byte, by which inputs choose among `count` ways; 0 of an empty input.
inline std::size_t Choose(std::string_view& input, std::size_t count) {
  if (input.empty()) return 0;
  const auto choice = static_cast<unsigned char>(input.front());
  input.remove_prefix(1);
  return choice % count;
}

// Takes all up to the first `end`, which goes too; all of it when there is none.
inline std::string_view TakeUntil(std::string_view& input, char end) {
  const std::string_view taken = input.substr(0, input.find(end));
  input.remove_prefix(std::min(input.size(), taken.size() + 1));
  return taken;
}

}  // namespace bv::fuzz
