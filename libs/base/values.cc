#include "libs/base/values.h"

#include <absl/strings/ascii.h>

#include <algorithm>

#include "libs/base/error.h"
#include "libs/base/strings.h"

namespace bv {
namespace {

bool LowerOrDigit(char c) {
  return absl::ascii_islower(static_cast<unsigned char>(c)) ||
         absl::ascii_isdigit(static_cast<unsigned char>(c));
}
bool AlphaNumeric(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c));
}

// The number of code points, or npos when `text` is not valid UTF-8 (RFC 3629: no overlong forms, no
// surrogates).
std::size_t CountCodePoints(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++count) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80   ? 1
                               : lead < 0xc2 ? 0
                               : lead < 0xe0 ? 2
                               : lead < 0xf0 ? 3
                               : lead < 0xf5 ? 4
                                             : 0;
    if (length == 0 || i + length > text.size()) return std::string_view::npos;
    for (std::size_t k = 1; k < length; ++k) {
      const auto byte = static_cast<unsigned char>(text[i + k]);
      if ((byte & 0xc0) != 0x80) return std::string_view::npos;
      if (k == 1 && ((lead == 0xe0 && byte < 0xa0) || (lead == 0xed && byte > 0x9f) ||
                     (lead == 0xf0 && byte < 0x90) || (lead == 0xf4 && byte > 0x8f))) {
        return std::string_view::npos;
      }
    }
    i += length;
  }
  return count;
}

template <class Allowed>
absl::Status CheckCode(std::string_view text, std::size_t max, Allowed allowed, std::string_view alphabet,
                       std::string_view field) {
  if (text.empty() || text.size() > max || !std::ranges::all_of(text, allowed)) {
    return InvalidValue(field, Concat("must be 1 to ", max, " characters of ", alphabet));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status TenantIdTag::Check(std::string_view text, std::string_view field_name) {
  const auto allowed = [](char c) { return LowerOrDigit(c) || c == '-'; };
  if (!text.empty() && text[0] == '-') return InvalidValue(field_name, "must start with a letter or a digit");
  return CheckCode(text, 63, allowed, "a-z 0-9 -", field_name);
}

absl::Status SkuCodeTag::Check(std::string_view text, std::string_view field_name) {
  const auto allowed = [](char c) { return AlphaNumeric(c) || c == '.' || c == '_' || c == '-'; };
  return CheckCode(text, 64, allowed, "A-Z a-z 0-9 . _ -", field_name);
}

absl::Status LocationCodeTag::Check(std::string_view text, std::string_view field_name) {
  const auto allowed = [](char c) { return AlphaNumeric(c) || c == '_' || c == '-'; };
  return CheckCode(text, 32, allowed, "A-Z a-z 0-9 _ -", field_name);
}

absl::Status StoreCodeTag::Check(std::string_view text, std::string_view field_name) {
  return LocationCodeTag::Check(text, field_name);
}

absl::Status ReasonCodeTag::Check(std::string_view text, std::string_view field_name) {
  const auto allowed = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; };
  return CheckCode(text, 64, allowed, "A-Z 0-9 _", field_name);
}

absl::Status EmailTag::Check(std::string_view text, std::string_view field_name) {
  const std::size_t at = text.find('@');
  const std::string_view domain = at == std::string_view::npos ? std::string_view() : text.substr(at + 1);
  const bool printable =
      std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) > ' ' && c != 0x7f; });
  if (text.size() > 254 || !printable || at == 0 || domain.find('@') != std::string_view::npos ||
      domain.find('.') == std::string_view::npos || domain.front() == '.' || domain.back() == '.') {
    return InvalidValue(field_name, "must be an e-mail address, for example ada@example.com");
  }
  return CheckText(text, 3, 254, field_name);
}

absl::Status PhoneTag::Check(std::string_view text, std::string_view field_name) {
  if (text.size() < 8 || text.size() > 16 || text[0] != '+' ||
      text.find_first_not_of("0123456789", 1) != std::string_view::npos) {
    return InvalidValue(field_name, "must be a telephone number in E.164 form, for example +4930123456");
  }
  return absl::OkStatus();
}

absl::Status CountryCodeTag::Check(std::string_view text, std::string_view field_name) {
  if (text.size() != 2 || !std::ranges::all_of(text, [](char c) { return c >= 'A' && c <= 'Z'; })) {
    return InvalidValue(field_name, "must be an ISO 3166-1 alpha-2 code, for example DE");
  }
  return absl::OkStatus();
}

absl::Status CheckText(std::string_view text, std::size_t min, std::size_t max, std::string_view field) {
  const auto control = [](char c) {
    return (static_cast<unsigned char>(c) < ' ' && c != '\n' && c != '\r' && c != '\t') || c == 0x7f;
  };
  const std::size_t count = CountCodePoints(text);
  if (count == std::string_view::npos) return InvalidValue(field, "must be valid UTF-8");
  if (std::ranges::any_of(text, control)) return InvalidValue(field, "must not contain control characters");
  if (count < min && min == 1) return InvalidValue(field, "must not be empty");
  if (count < min || count > max)
    return InvalidValue(field, Concat("must be ", min, " to ", max, " characters"));
  return absl::OkStatus();
}

}  // namespace bv
