// Who is at the other end of a connection, and how such are sent away.
#pragma once

#include <absl/time/time.h>

#include <string>
#include <string_view>
#include <vector>

#include "libs/http/message.h"

namespace bv::notification {

// A browser says which page asks. Allowed are those of `origins`, of which "*" is any, and of the request's
// own host; and whatever is no browser's.
bool IsOriginAllowed(const http::Request& request, const std::vector<std::string>& origins);

// Of the client, as the gateway tells it; without a gateway that of the connection.
std::string_view AddressOf(const http::Request& request);

// After which a client that is sent away comes back: by chance, from none to `jitter`, so that not all come
// at once.
absl::Duration ReconnectWait(absl::Duration jitter);

}  // namespace bv::notification
