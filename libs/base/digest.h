// Hashes without a key; those with one are in hmac.h.
#pragma once

#include <string>
#include <string_view>

namespace bv {

// SHA-256 (FIPS 180-4) of `text`: 64 hexadecimal digits, lower case.
std::string Sha256Hex(std::string_view text);

}  // namespace bv
