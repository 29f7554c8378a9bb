#include "services/webhook-dispatcher/domain/redact.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>

#include <array>
#include <cstdint>

#include "libs/base/strings.h"

namespace bv::webhook {
namespace {

constexpr std::size_t kBytesMax = 1024;
// From here on a word that has both letters and digits, or is of no language's length, is taken for a secret.
constexpr std::size_t kLongWord = 20;
constexpr std::string_view kMask = "***";
constexpr std::array<std::string_view, 9> kNames = {
    "token", "secret", "password", "passwd", "apikey", "authorization", "signature", "cookie", "key"};
constexpr std::array<std::string_view, 2> kSchemes = {"bearer", "basic"};

bool IsWordByte(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' || c == '+' || c == '/' ||
         c == '=' || c == '.' || c == '~' || static_cast<unsigned char>(c) >= 0x80;
}

std::string Plain(std::string_view word) {
  std::string plain;
  for (const char c : word) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c)))
      plain += absl::ascii_tolower(static_cast<unsigned char>(c));
  }
  return plain;
}

// "access_token", "X-Api-Key".
bool IsName(std::string_view plain) {
  for (const std::string_view name : kNames) {
    if (plain.ends_with(name)) return true;
  }
  return false;
}

bool IsScheme(std::string_view plain) {
  return plain == kSchemes[0] || plain == kSchemes[1];
}

bool LooksSecret(std::string_view word) {
  if (word.size() < kLongWord) return false;
  bool has_digit = false, has_letter = false;
  for (const char c : word) {
    has_digit = has_digit || absl::ascii_isdigit(static_cast<unsigned char>(c));
    has_letter = has_letter || absl::ascii_isalpha(static_cast<unsigned char>(c));
  }
  return (has_digit && has_letter) || word.size() >= 2 * kLongWord;
}

// The length of the UTF-8 character that begins here; 0 for bytes that are none.
std::size_t CharacterLength(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::size_t length = byte(0) < 0x80                       ? 1
                             : byte(0) >= 0xC2 && byte(0) <= 0xDF ? 2
                             : (byte(0) & 0xF0) == 0xE0           ? 3
                             : byte(0) >= 0xF0 && byte(0) <= 0xF4 ? 4
                                                                  : 0;
  if (length == 0 || length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  if (length == 3 && byte(0) == 0xE0 && byte(1) < 0xA0) return 0;
  if (length == 3 && byte(0) == 0xED && byte(1) > 0x9F) return 0;  // surrogates
  if (length == 4 && byte(0) == 0xF0 && byte(1) < 0x90) return 0;
  if (length == 4 && byte(0) == 0xF4 && byte(1) > 0x8F) return 0;
  return length;
}

std::string Readable(std::string_view text) {
  std::string readable;
  while (!text.empty()) {
    const std::size_t length = CharacterLength(text);
    const char c = text.front();
    const bool is_control =
        length == 1 && absl::ascii_iscntrl(static_cast<unsigned char>(c)) && c != '\n' && c != '\t';
    if (length == 0 || is_control) {
      readable += '?';
    } else {
      readable += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return readable;
}

// Without a character that is cut in two.
std::string Cut(std::string text) {
  if (text.size() <= kBytesMax) return text;
  std::size_t end = kBytesMax;
  while (end > 0 && (static_cast<std::uint8_t>(text[end]) & 0xC0) == 0x80) --end;
  text.resize(end);
  return text;
}

}  // namespace

std::string Redacted(std::string_view answer) {
  const std::string text = Readable(answer.substr(0, kBytesMax));
  std::string redacted;
  // Whether the next word is the value of a name.
  bool is_value = false;
  for (std::size_t at = 0; at < text.size();) {
    if (!IsWordByte(text[at])) {
      // A value stands in the line of its name, at most behind `": "`.
      if (text[at] == '\n' || text[at] == ',' || text[at] == ';' || text[at] == '}') is_value = false;
      redacted += text[at++];
      continue;
    }
    std::size_t end = at;
    while (end < text.size() && IsWordByte(text[end])) ++end;
    std::string_view word = std::string_view(text).substr(at, end - at);
    at = end;
    // "token=abc" is one word so far.
    if (const std::size_t equals = word.find('=');
        equals != word.npos && equals > 0 && IsName(Plain(word.substr(0, equals)))) {
      redacted += word.substr(0, equals + 1);
      word.remove_prefix(equals + 1);
      is_value = true;
      if (word.empty()) continue;
    }
    const std::string plain = Plain(word);
    if (IsScheme(plain)) {
      redacted += word;
      is_value = true;
    } else if (is_value || LooksSecret(word)) {
      redacted += kMask;
      is_value = false;
    } else {
      redacted += word;
      is_value = IsName(plain);
    }
  }
  return Cut(std::move(redacted));
}

}  // namespace bv::webhook
