#include "libs/smtp/header.h"

#include <absl/strings/escaping.h>

#include <algorithm>

#include "libs/base/strings.h"

namespace bv::smtp {
namespace {

constexpr std::size_t kPlainMax = 60;
// An encoded word has at most 75 characters; "=?UTF-8?B?" and "?=" take 12, and 45 bytes become 60.
constexpr std::size_t kWordBytes = 45;

bool IsPlain(std::string_view text) {
  // "=?" begins an encoded word.
  return text.size() <= kPlainMax && text.find("=?") == std::string_view::npos &&
         std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

bool ContinuesCharacter(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

// How many bytes of `text` fit into one word without cutting a character.
std::size_t WordLength(std::string_view text) {
  if (text.size() <= kWordBytes) return text.size();
  std::size_t length = kWordBytes;
  while (length > 1 && ContinuesCharacter(text[length])) --length;
  return length;
}

}  // namespace

std::string EncodeWords(std::string_view text) {
  if (IsPlain(text)) return std::string(text);
  std::string words;
  while (!text.empty()) {
    const std::size_t length = WordLength(text);
    if (!words.empty()) words += "\r\n ";
    words += Concat("=?UTF-8?B?", absl::Base64Escape(Absl(text.substr(0, length))), "?=");
    text.remove_prefix(length);
  }
  return words;
}

std::string Mailbox(std::string_view name, std::string_view email) {
  if (name.empty()) return Concat("<", email, ">");
  if (!IsPlain(name)) return Concat(EncodeWords(name), " <", email, ">");
  std::string quoted;
  for (const char c : name) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return Concat("\"", quoted, "\" <", email, ">");
}

std::string DateOf(absl::Time time) {
  return absl::FormatTime("%a, %d %b %Y %H:%M:%S +0000", time, absl::UTCTimeZone());
}

}  // namespace bv::smtp
