#include "libs/base/error.h"

#include "libs/base/strings.h"
namespace bv {
namespace {

constexpr std::string_view kReason = "bv/reason";
constexpr std::string_view kField = "bv/field";
constexpr std::string_view kRetryAfter = "bv/retry-after";

std::string Payload(const absl::Status& status, std::string_view key) {
  const auto payload = status.GetPayload(Absl(key));
  return payload ? std::string(*payload) : std::string();
}

void SetPayload(absl::Status& status, std::string_view key, std::string_view value) {
  const absl::string_view name = Absl(key);
  if (value.empty()) {
    status.ErasePayload(name);
  } else {
    status.SetPayload(name, absl::Cord(Absl(value)));
  }
}

}  // namespace

absl::Status Error(absl::StatusCode code, std::string_view reason, std::string_view message,
                   std::string_view field) {
  absl::Status status(code, Absl(message));
  SetPayload(status, kReason, reason);
  SetPayload(status, kField, field);
  return status;
}

absl::Status InvalidValue(std::string_view field, std::string_view message) {
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_VALUE", message, field);
}

absl::Status NotFound(std::string_view reason, std::string_view message) {
  return Error(absl::StatusCode::kNotFound, reason, message);
}

absl::Status Unavailable(std::string_view reason, std::string_view message, absl::Duration retry_after) {
  absl::Status status = Error(absl::StatusCode::kUnavailable, reason, message);
  SetPayload(status, kRetryAfter, absl::FormatDuration(retry_after));
  return status;
}

absl::Status Overloaded(std::string_view message, absl::Duration retry_after) {
  absl::Status status = Error(absl::StatusCode::kResourceExhausted, "OVERLOADED", message);
  SetPayload(status, kRetryAfter, absl::FormatDuration(retry_after));
  return status;
}

void SetErrorDetail(absl::Status& status, const ErrorDetail& detail) {
  SetPayload(status, kReason, detail.reason);
  SetPayload(status, kField, detail.field);
  SetPayload(status, kRetryAfter, detail.retry_after ? absl::FormatDuration(*detail.retry_after) : "");
}

ErrorDetail GetErrorDetail(const absl::Status& status) {
  ErrorDetail detail{.reason = Payload(status, kReason), .field = Payload(status, kField)};
  absl::Duration retry_after;
  if (absl::ParseDuration(Payload(status, kRetryAfter), &retry_after)) detail.retry_after = retry_after;
  return detail;
}

std::string ErrorReason(const absl::Status& status) {
  return Payload(status, kReason);
}

absl::Status WithFieldPrefix(std::string_view prefix, const absl::Status& status) {
  absl::Status prefixed = status;
  const std::string field = Payload(status, kField);
  SetPayload(prefixed, kField, field.empty() ? std::string(prefix) : Concat(prefix, ".", field));
  return prefixed;
}

}  // namespace bv
