// Keyed hashes.
#pragma once

#include <string>
#include <string_view>

namespace bv {

// HMAC-SHA256 (RFC 2104) of `text`: 32 bytes.
std::string HmacSha256(std::string_view key, std::string_view text);

}  // namespace bv
