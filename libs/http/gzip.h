// Answers in gzip (RFC 1952) for clients that ask for it.
#pragma once

#include "libs/http/message.h"

namespace bv::http {

// Smaller bodies are one packet anyway.
constexpr std::size_t kGzipBytesMin = 1024;

// Compresses the body of `response` when it has more than kGzipBytesMin bytes of text (JSON, HTML, scripts,
// …) that nobody has encoded yet, and `request` accepts gzip. The answer then says so, whichever way it went,
// by `Vary`, and by its `etag`, since it is another representation of the same thing.
void Compress(const Request& request, Response& response);

// Whether the value of a header Accept-Encoding has gzip among what it takes (RFC 9110, 12.5.3).
bool AcceptsGzip(std::string_view accept_encoding);

}  // namespace bv::http
