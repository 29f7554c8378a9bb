// Errors of the fleet: absl::Status with a stable machine-readable reason, and where it helps the field and
// the time to come back. They survive a gRPC hop (libs/rpc) and become an HTTP problem at the gateway only.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <optional>
#include <string>
#include <string_view>

namespace bv {

// What an error carries beside code and message.
struct ErrorDetail {
  // UPPER_SNAKE_CASE, stable: programs branch on it. Empty when the status has none.
  std::string reason;
  // The input that caused it, as the API names it: "items[2].qty". Empty when no single field did.
  std::string field;
  // When to try again. Absent when trying again does not help or nothing is known.
  std::optional<absl::Duration> retry_after;
};

absl::Status Error(absl::StatusCode code, std::string_view reason, std::string_view message,
                   std::string_view field = {});

// INVALID_ARGUMENT, reason INVALID_VALUE.
absl::Status InvalidValue(std::string_view field, std::string_view message);
// NOT_FOUND.
absl::Status NotFound(std::string_view reason, std::string_view message);
// UNAVAILABLE, reason `reason`: a part is away; the same request later is likely to succeed.
absl::Status Unavailable(std::string_view reason, std::string_view message,
                         absl::Duration retry_after = absl::Seconds(1));
// RESOURCE_EXHAUSTED, reason OVERLOADED: a bounded queue is full.
absl::Status Overloaded(std::string_view message, absl::Duration retry_after = absl::Seconds(1));

// Attaches or replaces.
void SetErrorDetail(absl::Status& status, const ErrorDetail& detail);
ErrorDetail GetErrorDetail(const absl::Status& status);
std::string ErrorReason(const absl::Status& status);
// The same error, its field put below `prefix`: ("items[1]", "qty") → "items[1].qty".
absl::Status WithFieldPrefix(std::string_view prefix, const absl::Status& status);

}  // namespace bv
