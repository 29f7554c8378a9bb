#include "libs/json/scalar.h"

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>
#include <absl/time/time.h>
#include <google/protobuf/timestamp.pb.h>

#include <charconv>
#include <cmath>
#include <limits>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/money.h"
#include "libs/base/strings.h"

namespace bv::json {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

std::string_view Wanted(const FieldPlan& field) {
  switch (field.kind) {
    case Kind::kInt32:
    case Kind::kInt64:
    case Kind::kUint32:
    case Kind::kUint64:
      return "a whole number";
    case Kind::kFloat:
    case Kind::kDouble:
      return "a number";
    case Kind::kAmount:
      return "a number, for example 129.50";
    case Kind::kBool:
      return "true or false";
    case Kind::kTimestamp:
      return "a string that holds a time, for example \"2026-01-31T12:00:00Z\"";
    case Kind::kBytes:
      return "a string that holds base64";
    case Kind::kMessage:
    case Kind::kMap:
      return "an object";
    case Kind::kString:
    case Kind::kEnum:
      break;
  }
  return "a string";
}

std::string_view Name(Type type) {
  switch (type) {
    case Type::kNull:
      return "null";
    case Type::kBool:
      return "a bool";
    case Type::kNumber:
      return "a number";
    case Type::kString:
      return "a string";
    case Type::kObject:
      return "an object";
    case Type::kArray:
      break;
  }
  return "an array";
}

Type TypeOf(Kind kind) {
  switch (kind) {
    case Kind::kBool:
      return Type::kBool;
    case Kind::kString:
    case Kind::kBytes:
    case Kind::kEnum:
    case Kind::kTimestamp:
      return Type::kString;
    case Kind::kMessage:
    case Kind::kMap:
      return Type::kObject;
    default:
      return Type::kNumber;
  }
}

absl::string_view Absl(std::string_view text) {
  return {text.data(), text.size()};
}

// Calls Set… or Add…, by the field.
template <class T, class Argument>
void Store(const FieldPlan& field, Message& message,
           void (Reflection::*set)(Message*, const FieldDescriptor*, T) const,
           void (Reflection::*add)(Message*, const FieldDescriptor*, T) const, Argument&& value) {
  (message.GetReflection()->*(field.repeated ? add : set))(&message, field.field,
                                                           std::forward<Argument>(value));
}

template <class Number>
absl::Status ReadWhole(std::string_view text, const Path& path, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return absl::OkStatus();
  if (text.find_first_not_of("-0123456789") != std::string_view::npos) {
    return Refuse("WRONG_TYPE", path, "must be a whole number, written without point and exponent");
  }
  return Refuse("INVALID_VALUE", path,
                Concat("must be a whole number from ", std::numeric_limits<Number>::min(), " to ",
                       std::numeric_limits<Number>::max()));
}

template <class Number>
absl::Status StoreWhole(const FieldPlan& field, Message& message, std::string_view text, const Path& path,
                        void (Reflection::*set)(Message*, const FieldDescriptor*, Number) const,
                        void (Reflection::*add)(Message*, const FieldDescriptor*, Number) const) {
  Number number = 0;
  RETURN_IF_ERROR(ReadWhole(text, path, number));
  Store(field, message, set, add, number);
  return absl::OkStatus();
}

template <class Number>
absl::Status StoreReal(const FieldPlan& field, Message& message, std::string_view text, const Path& path,
                       void (Reflection::*set)(Message*, const FieldDescriptor*, Number) const,
                       void (Reflection::*add)(Message*, const FieldDescriptor*, Number) const) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) {
    return Refuse("INVALID_VALUE", path, "must be a finite number");
  }
  Store(field, message, set, add, number);
  return absl::OkStatus();
}

absl::Status StoreEnum(const FieldPlan& field, Message& message, std::string_view text, const Path& path) {
  const google::protobuf::EnumDescriptor& type = *field.field->enum_type();
  const std::string_view prefix = std::string_view(type.value(0)->name()).substr(0, field.enum_prefix_length);
  const auto* value = type.FindValueByName(std::string(prefix).append(text));
  if (value == nullptr || value->number() == 0) {
    std::string known;
    for (int i = 0; i < type.value_count(); ++i) {
      const auto name = EnumName(field, type.value(i)->number());
      if (!name.empty()) absl::StrAppend(&known, known.empty() ? "" : ", ", Absl(name));
    }
    return Refuse("INVALID_VALUE", path, Concat("must be one of ", known));
  }
  Store(field, message, &Reflection::SetEnumValue, &Reflection::AddEnumValue, value->number());
  return absl::OkStatus();
}

absl::Status StoreAmount(const FieldPlan& field, Message& message, std::string_view text,
                         const CurrencyScope& currency, const Path& path) {
  std::int64_t minor_units = 0;
  if (currency.digits >= 0) {
    absl::StatusOr<std::int64_t> parsed = ParseDecimal(text, currency.digits);
    if (!parsed.ok()) return Refuse("INVALID_VALUE", path, std::string(parsed.status().message()));
    minor_units = *parsed;
  } else if (text.find_first_not_of("-.0") != std::string_view::npos) {
    return Refuse("INVALID_VALUE", path,
                  currency.code.empty() ? "needs a currency beside it, for example \"currency\": \"USD\""
                                        : "has a currency that is not one of ISO 4217");
  }
  Store(field, message, &Reflection::SetInt64, &Reflection::AddInt64, minor_units);
  return absl::OkStatus();
}

absl::Status StoreTimestamp(const FieldPlan& field, Message& message, std::string_view text,
                            const Path& path) {
  absl::Time time;
  // ParseTime is more generous than RFC 3339: blanks around, years of any length, "infinite-future".
  const bool shaped = text.size() >= 20 && text[4] == '-' && text[10] == 'T' && text[0] >= '0' &&
                      text[0] <= '9' && text.find(' ') == std::string_view::npos;
  if (!shaped || !absl::ParseTime(absl::RFC3339_full, Absl(text), &time, nullptr) ||
      time < absl::FromCivil(absl::CivilYear(1), absl::UTCTimeZone()) ||
      time >= absl::FromCivil(absl::CivilYear(10'000), absl::UTCTimeZone())) {
    return Refuse("INVALID_VALUE", path, "must be a time as in RFC 3339, for example 2026-01-31T12:00:00Z");
  }
  const Reflection& reflection = *message.GetReflection();
  auto& timestamp = static_cast<google::protobuf::Timestamp&>(
      *(field.repeated ? reflection.AddMessage(&message, field.field)
                       : reflection.MutableMessage(&message, field.field)));
  const std::int64_t micros = absl::ToUnixMicros(time);
  const std::int64_t seconds = absl::ToUnixSeconds(time);
  timestamp.set_seconds(seconds);
  timestamp.set_nanos(static_cast<std::int32_t>((micros - seconds * 1'000'000) * 1000));
  return absl::OkStatus();
}

absl::Status StoreBytes(const FieldPlan& field, Message& message, std::string_view text, const Path& path) {
  std::string bytes;
  if (!absl::Base64Unescape(Absl(text), &bytes)) return Refuse("INVALID_VALUE", path, "must be base64");
  Store(field, message, &Reflection::SetString, &Reflection::AddString, std::move(bytes));
  return absl::OkStatus();
}

}  // namespace

std::string Path::ToString() const {
  std::string text = parent == nullptr ? std::string() : parent->ToString();
  if (!text.empty() && !name.empty()) text += '.';
  text.append(name);
  if (index >= 0) absl::StrAppend(&text, "[", index, "]");
  return text;
}

absl::Status Refuse(std::string_view reason, const Path& path, std::string_view message) {
  return Error(absl::StatusCode::kInvalidArgument, reason, message, path.ToString());
}

absl::Status RefuseType(const FieldPlan& field, Type given, const Path& path) {
  return Refuse("WRONG_TYPE", path, Concat("must be ", Wanted(field), ", not ", Name(given)));
}

absl::Status SetScalar(const FieldPlan& field, const Node& value, const CurrencyScope& currency,
                       const Path& path, Message& message) {
  if (value.type != TypeOf(field.kind)) return RefuseType(field, value.type, path);
  const std::string_view text = value.text;
  switch (field.kind) {
    case Kind::kString:
      Store(field, message, &Reflection::SetString, &Reflection::AddString, std::string(text));
      return absl::OkStatus();
    case Kind::kBytes:
      return StoreBytes(field, message, text, path);
    case Kind::kInt32:
      return StoreWhole(field, message, text, path, &Reflection::SetInt32, &Reflection::AddInt32);
    case Kind::kInt64:
      return StoreWhole(field, message, text, path, &Reflection::SetInt64, &Reflection::AddInt64);
    case Kind::kUint32:
      return StoreWhole(field, message, text, path, &Reflection::SetUInt32, &Reflection::AddUInt32);
    case Kind::kUint64:
      return StoreWhole(field, message, text, path, &Reflection::SetUInt64, &Reflection::AddUInt64);
    case Kind::kFloat:
      return StoreReal(field, message, text, path, &Reflection::SetFloat, &Reflection::AddFloat);
    case Kind::kDouble:
      return StoreReal(field, message, text, path, &Reflection::SetDouble, &Reflection::AddDouble);
    case Kind::kBool:
      Store(field, message, &Reflection::SetBool, &Reflection::AddBool, text == "true");
      return absl::OkStatus();
    case Kind::kEnum:
      return StoreEnum(field, message, text, path);
    case Kind::kAmount:
      return StoreAmount(field, message, text, currency, path);
    case Kind::kTimestamp:
      return StoreTimestamp(field, message, text, path);
    case Kind::kMessage:
    case Kind::kMap:
      break;
  }
  return RefuseType(field, value.type, path);
}

absl::Status SetScalarFromText(const FieldPlan& field, std::string_view text, const CurrencyScope& currency,
                               const Path& path, Message& message) {
  if (field.kind == Kind::kBool && text != "true" && text != "false") {
    return Refuse("WRONG_TYPE", path, "must be true or false");
  }
  const Node value{.type = TypeOf(field.kind), .text = text};
  return SetScalar(field, value, currency, path, message);
}

}  // namespace bv::json
