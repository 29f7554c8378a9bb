// Paths and queries, and their percent-encoding (RFC 3986, 2.1).
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

// A request's target, "/a?b" or "http://host/a?b" (RFC 9112, 3.2.2), → path and query, without the fragment.
// False when there is no path.
bool SplitTarget(std::string_view target, std::string_view& path, std::string_view& query);

}  // namespace bv::http
