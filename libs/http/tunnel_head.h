// The head of a request that goes through a tunnel; internal to libs/http.
#pragma once

#include <span>
#include <string>
#include <utility>

#include "libs/http/message.h"

namespace bv::http {

// Request line and headers for the server behind, with the blank line. Each of `headers` replaces those of
// its name; an empty value only removes them. A tunnelled request has no body, so nothing that tells of one
// goes on: an empty body in chunks has been read, and the server behind would take what follows for it.
std::string TunnelHead(const Request& request, std::span<const std::pair<std::string, std::string>> headers);

}  // namespace bv::http
