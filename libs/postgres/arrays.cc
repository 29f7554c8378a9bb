#include <absl/strings/str_cat.h>

#include "libs/postgres/postgres.h"

namespace bv::postgres {

std::string ArrayLiteral(const std::vector<std::string>& values) {
  std::string literal = "{";
  for (const std::string& value : values) {
    if (literal.size() > 1) literal += ',';
    literal += '"';
    for (const char c : value) {
      if (c == '"' || c == '\\') literal += '\\';
      literal += c;
    }
    literal += '"';
  }
  return literal + "}";
}

std::string ArrayLiteral(const std::vector<std::int64_t>& values) {
  std::string literal = "{";
  for (const std::int64_t value : values) absl::StrAppend(&literal, literal.size() > 1 ? "," : "", value);
  return literal + "}";
}

std::string ArrayLiteral(const std::vector<std::optional<std::int64_t>>& values) {
  std::string literal = "{";
  for (const std::optional<std::int64_t>& value : values) {
    if (literal.size() > 1) literal += ',';
    if (value) {
      absl::StrAppend(&literal, *value);
    } else {
      literal += "NULL";
    }
  }
  return literal + "}";
}

absl::Time TimeFromMicros(const pqxx::field& field) {
  return absl::FromUnixMicros(field.as<std::int64_t>());
}

}  // namespace bv::postgres
