#pragma once

#include <string>
#include <string_view>

namespace bv::order {

// SHA-256, 64 hexadecimal digits: what is kept of an Idempotency-Key and of its request.
std::string Sha256Hex(std::string_view text);

}  // namespace bv::order
