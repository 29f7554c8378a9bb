#include "libs/projections/redis_layout.h"

#include <absl/strings/ascii.h>
#include <absl/strings/escaping.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_split.h>

#include "libs/base/macros.h"
#include "libs/base/strings.h"

namespace bv::projections {
namespace {

absl::Status Foreign(std::string_view text) {
  return absl::InternalError(Concat("a projection in Redis holds what no projection writes: ", text));
}

// What separates the parts of a name never stands in one.
std::string Escape(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.') {
      escaped.push_back(c);
    } else {
      escaped += Concat("%", absl::BytesToHexString(absl::string_view(&c, 1)));
    }
  }
  return escaped;
}

absl::StatusOr<std::string> Unescape(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      plain.push_back(text[i]);
      continue;
    }
    const std::string_view digits = text.substr(i + 1, 2);
    if (digits.size() != 2 || !absl::ascii_isxdigit(static_cast<unsigned char>(digits[0])) ||
        !absl::ascii_isxdigit(static_cast<unsigned char>(digits[1]))) {
      return Foreign(text);
    }
    plain += absl::HexStringToBytes(Absl(digits));
    i += 2;
  }
  return plain;
}

}  // namespace

std::string RedisKeyOf(const Projection& projection, const TenantId& tenant, const Value& first_of_key) {
  return Concat(projection.name, ":", tenant.str(), ":", Escape(ToText(first_of_key)));
}

RedisPlace PlaceOf(const Projection& projection, const TenantId& tenant, const std::vector<Value>& key) {
  RedisPlace place{.key = RedisKeyOf(projection, tenant, key.front())};
  for (std::size_t i = 1; i < key.size(); ++i) place.row += Escape(ToText(key[i])) + "/";
  return place;
}

std::string VersionField(const std::string& row, const Facet& facet) {
  return Concat(row, facet.name, "@");
}

std::string ColumnField(const std::string& row, const Facet& facet, const Column& column) {
  return Concat(row, facet.name, ".", column.name);
}

std::string ToText(const Value& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
  if (const auto* time = std::get_if<absl::Time>(&value)) return std::to_string(absl::ToUnixMicros(*time));
  if (const auto* day = std::get_if<absl::CivilDay>(&value)) return absl::FormatCivilTime(*day);
  return std::get<std::string>(value);
}

absl::StatusOr<Value> FromText(Kind kind, std::string_view text) {
  std::int64_t number = 0;
  switch (kind) {
    case Kind::kText:
      return Value(std::string(text));
    case Kind::kDay:
      if (absl::CivilDay day; absl::ParseCivilTime(Absl(text), &day)) return Value(day);
      return Foreign(text);
    case Kind::kInteger:
      if (absl::SimpleAtoi(Absl(text), &number)) return Value(number);
      return Foreign(text);
    case Kind::kTime:
      if (absl::SimpleAtoi(Absl(text), &number)) return Value(absl::FromUnixMicros(number));
      return Foreign(text);
  }
  return Foreign(text);
}

absl::StatusOr<std::vector<Value>> RestOfKey(const Shape& shape, std::string_view row) {
  std::vector<Value> rest;
  const std::vector<absl::string_view> parts = absl::StrSplit(Absl(row), '/');
  // The last one is empty, behind the last '/'.
  if (parts.size() != shape.key.size()) return Foreign(row);
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    ASSIGN_OR_RETURN(const std::string text, Unescape(Std(parts[i])));
    ASSIGN_OR_RETURN(Value value, FromText(shape.key[i + 1].kind, text));
    rest.push_back(std::move(value));
  }
  return rest;
}

}  // namespace bv::projections
