// Percent-encoding of paths and queries (RFC 3986, 2.1).
#pragma once

#include <string>
#include <string_view>

namespace bv::http {

// In a query, '+' stands for a blank, as HTML forms write it.
enum class UriPart { kPath, kQuery };

// Replaces `out`. False for a '%' without two hexadecimal digits after it.
bool PercentDecode(std::string_view text, UriPart part, std::string& out);

// The first value of a query's parameter, decoded, into `value`; empty when there is none. False for one that
// cannot be decoded. `name` needs no encoding.
bool FindParameter(std::string_view query, std::string_view name, std::string& value);

// Appends all but letters, digits and - . _ ~ as %XX.
void AppendPercentEncoded(std::string_view text, std::string& out);

}  // namespace bv::http
