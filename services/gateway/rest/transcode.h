// HTTP request → protobuf request, protobuf response → HTTP answer, as the route says.
#pragma once

#include <absl/status/status.h>
#include <google/protobuf/message.h>

#include "libs/http/message.h"
#include "services/gateway/routing/route_table.h"

namespace bv::gateway {

// Fills in `message`, which is new, from body, query and path; the parameter `fields` of a GET is none of the
// message's. INVALID_ARGUMENT names the field or parameter.
absl::Status ReadRequest(const http::Request& request, const Match& match,
                         google::protobuf::Message& message);

// Status, `Location` and body, without its type.
absl::Status WriteResponse(const Route& route, const google::protobuf::Message& message,
                           http::Response& response);

// True for "application/json", with parameters or without.
bool IsJson(std::string_view content_type);

}  // namespace bv::gateway
