// JSON written by hand: log lines and spans are flat, made often, and must be valid whatever text a caller
// sends.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace bv::telemetry {

// Appends `text` as a JSON string, quotes included. Bytes that are not UTF-8 become U+FFFD; what is beyond
// `bytes_max` is cut at a character's edge and marked with "…".
void AppendJsonString(std::string& out, std::string_view text, std::size_t bytes_max);

}  // namespace bv::telemetry
