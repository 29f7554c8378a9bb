#include "libs/telemetry/json_text.h"

#include <cstdint>

namespace bv::telemetry {
namespace {

constexpr std::string_view kReplacement = "\uFFFD";

bool IsContinuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

// The length of the UTF-8 character that `text` (not empty) starts with; 0 when it starts with none (RFC
// 3629: no overlong form, no surrogate, nothing above U+10FFFF).
std::size_t CharacterLength(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xC2 && first <= 0xDF   ? 2
                             : first >= 0xE0 && first <= 0xEF ? 3
                             : first >= 0xF0 && first <= 0xF4 ? 4
                                                              : 0;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if (!IsContinuation(text[i])) return 0;
  }
  if (first == 0xE0 && byte(1) < 0xA0) return 0;
  if (first == 0xED && byte(1) > 0x9F) return 0;
  if (first == 0xF0 && byte(1) < 0x90) return 0;
  if (first == 0xF4 && byte(1) > 0x8F) return 0;
  return length;
}

void AppendAscii(std::string& out, char c) {
  static constexpr char kHex[] = "0123456789abcdef";
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  const auto code = static_cast<unsigned char>(c);
  // DEL is legal in JSON but not in every terminal.
  if (code < 0x20 || code == 0x7F) {
    out += "\\u00";
    out += kHex[code >> 4];
    out += kHex[code & 0xF];
  } else {
    out += c;
  }
}

}  // namespace

void AppendJsonString(std::string& out, std::string_view text, std::size_t bytes_max) {
  const bool cut = text.size() > bytes_max;
  if (cut) {
    while (bytes_max > 0 && IsContinuation(text[bytes_max])) --bytes_max;
    text = text.substr(0, bytes_max);
  }
  out += '"';
  while (!text.empty()) {
    const std::size_t length = CharacterLength(text);
    if (length == 1) {
      AppendAscii(out, text[0]);
    } else {
      out += length == 0 ? kReplacement : text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  if (cut) out += "…";
  out += '"';
}

}  // namespace bv::telemetry
