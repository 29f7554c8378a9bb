// Inside libs/auth: a key set from an address.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <string>

namespace bv::auth {

// The body of a GET of `url`, http or https, at most 256 KiB, from an answer with status 200; follows no
// redirect. UNAVAILABLE says what went wrong. Blocks for `timeout` at most.
absl::StatusOr<std::string> FetchJwks(const std::string& url, absl::Duration timeout);

}  // namespace bv::auth
