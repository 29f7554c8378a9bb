// What is kept of a receiver's answer. Pure.
#pragma once

#include <string>
#include <string_view>

namespace bv::webhook {

// At most 1,024 bytes of UTF-8 without control characters but line ends and tabs. What looks like a secret is
// "***": a long word of letters and digits, what stands behind a name like "token", "password" or "secret",
// and what stands behind "Bearer" or "Basic". Rather too much than too little.
std::string Redacted(std::string_view answer);

}  // namespace bv::webhook
