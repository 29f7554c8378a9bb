// Inside libs/auth: one token, from text to claims.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <string>
#include <string_view>

#include "libs/auth/auth.h"
#include "libs/auth/jwk_set.h"

namespace bv::auth {

inline constexpr std::size_t kTokenBytesMax = 8 * 1024;

absl::Status Malformed(std::string_view message);
absl::Status Expired();
absl::Status Invalid(std::string_view message);
absl::Status Revoked(std::string_view message);
absl::Status TooLong();
// Whether VerifySignature refused because the key is not among those that it was given.
bool NamesUnknownKey(const absl::Status& status);

// The payload of a compact JWS (RFC 7515) whose signature is that of the key it names, by that key's
// algorithm.
absl::StatusOr<std::string> VerifySignature(std::string_view token, const KeysById& keys);

// Checks the registered claims (RFC 7519 section 4.1) and those of Bivouac. The expiry is the claim's,
// without the skew.
absl::StatusOr<Claims> CheckClaims(std::string_view payload, const Settings& settings, absl::Time now);

}  // namespace bv::auth
