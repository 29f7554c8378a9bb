// Requests that depend on what the client has seen: ETag, If-None-Match, If-Match (RFC 9110, 13).
//
// A tag is made of the answer itself and, where the message has a field `version`, begins with it:
// "7-0f1e2d…". So two tags are the same only when the bodies are, and an update compares versions.
#pragma once

#include <absl/status/status.h>
#include <google/protobuf/message.h>

#include "libs/http/message.h"
#include "services/gateway/routing/route.h"

namespace bv::gateway {

// For the body that answers `route` with `message`; without quotes.
std::string EntityTag(const Route& route, const google::protobuf::Message& message, std::string_view body);

// Turns an answer that has an ETag into 304 when If-None-Match names it, and into 412 when If-Match names
// others only. For GET and HEAD.
absl::Status CheckSeen(const http::Request& request, http::Response& response);

// Puts the version that If-Match names into the request's field `expected_version`, for requests that change
// something. INVALID_ARGUMENT, reason PRECONDITION_NOT_SUPPORTED, when the route has no such field or the
// precondition is another one: to go on regardless would be to overwrite what the client has not seen.
// ABORTED, reason VERSION_CONFLICT, for a tag that is none of ours.
absl::Status TakeExpectedVersion(const http::Request& request, const Route& route,
                                 google::protobuf::Message& message);

// Whether `status` says that the precondition of `request` does not hold: such an answer is 412.
bool IsPreconditionFailed(const http::Request& request, const absl::Status& status);

}  // namespace bv::gateway
