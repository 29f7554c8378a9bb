// Errors as HTTP shows them: RFC 9457, application/problem+json.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <optional>
#include <string>
#include <string_view>

#include "libs/http/message.h"

namespace bv::gateway {

struct Problem {
  int status = 500;
  // UPPER_SNAKE_CASE, stable.
  std::string code;
  std::string detail;
  // The input that caused it; empty when no single one did.
  std::string field;
  std::optional<absl::Duration> retry_after;
};

// Who refused: the gateway before it called, or the service.
enum class RefusedBy { kGateway, kService };

// A service's INVALID_ARGUMENT is 422 for a request with a body, which could be read and was not accepted,
// else 400. Of what went wrong inside (INTERNAL and its like) nothing is told.
Problem ProblemOf(const absl::Status& status, RefusedBy refused_by, const http::Request& request);

// Fills in status, body and headers.
void WriteProblem(const Problem& problem, std::string_view instance, std::string_view trace_id,
                  http::Response& response);

}  // namespace bv::gateway
