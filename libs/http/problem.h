// Errors as HTTP shows them: RFC 9457, application/problem+json.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <optional>
#include <string>
#include <string_view>

#include "libs/http/message.h"

namespace bv::http {

struct Problem {
  int status = 500;
  // UPPER_SNAKE_CASE, stable.
  std::string code;
  std::string detail;
  // The input that caused it; empty when no single one did.
  std::string field;
  std::optional<absl::Duration> retry_after;
};

// Who refused: this server, before it called anybody, or the service that it called.
enum class RefusedBy { kHere, kService };

// A service's INVALID_ARGUMENT is 422 for a request with a body, which could be read and was not accepted,
// else 400. Of what went wrong inside (INTERNAL and its like) nothing is told.
Problem ProblemOf(const absl::Status& status, RefusedBy refused_by, const Request& request);

// Fills in status, body and headers; 401 says how a client is to prove who it is (RFC 6750, 3).
void WriteProblem(const Problem& problem, std::string_view instance, std::string_view trace_id,
                  Response& response);

}  // namespace bv::http
