// Inside libs/telemetry: where log lines go. Callers use telemetry.h.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/time/time.h>

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "libs/telemetry/telemetry.h"

namespace bv::telemetry {

// "trace" shows what "debug" shows.
std::optional<Level> ParseLevel(std::string_view text);

// Before StartLogs and after StopLogs a line is written by the caller's own thread, level info and up.
void StartLogs(std::string_view service, Level least);
// Writes what is queued.
void StopLogs();

// Lines that were overwritten in the full queue since StartLogs.
std::uint64_t DroppedLogLines();

// What LogLimited lets through: a line a second for each message. Thread safe.
class LineLimiter {
 public:
  // How many lines of `message` were left out since the last one; absent when this one is left out too.
  std::optional<std::uint64_t> Admit(std::string_view message, absl::Time now);

 private:
  struct Limit {
    absl::Time next = absl::InfinitePast();
    std::uint64_t left_out = 0;
  };
  std::mutex mutex_;
  absl::flat_hash_map<std::string, Limit> limits_;
};

// One JSON object without a new line. `context` may be null.
std::string FormatLine(absl::Time time, Level level, std::string_view service, const RequestContext* context,
                       std::string_view message, Fields fields);

}  // namespace bv::telemetry
