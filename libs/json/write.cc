#include <absl/strings/escaping.h>
#include <absl/time/civil_time.h>
#include <absl/time/time.h>
#include <google/protobuf/timestamp.pb.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>
#include <vector>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/money.h"
#include "libs/base/strings.h"
#include "libs/json/json.h"
#include "libs/json/plan.h"

namespace bv::json {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

absl::Status CannotWrite(const FieldPlan& field, std::string_view problem) {
  return Error(absl::StatusCode::kInternal, "JSON_NOT_WRITTEN",
               Concat(field.field->full_name(), ": ", problem));
}

template <class Number>
void AppendNumber(Number number, std::string& out) {
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

void AppendPadded(std::int64_t number, int width, std::string& out) {
  std::array<char, 20> digits;
  for (int i = width; i-- > 0; number /= 10)
    digits[static_cast<std::size_t>(i)] = static_cast<char>('0' + number % 10);
  out.append(digits.data(), static_cast<std::size_t>(width));
}

bool AppendTimestamp(const google::protobuf::Timestamp& timestamp, std::string& out) {
  const absl::CivilSecond civil =
      absl::ToCivilSecond(absl::FromUnixSeconds(timestamp.seconds()), absl::UTCTimeZone());
  if (civil.year() < 1 || civil.year() > 9999 || timestamp.nanos() < 0 || timestamp.nanos() > 999'999'999)
    return false;
  out += '"';
  AppendPadded(civil.year(), 4, out);
  out += '-';
  AppendPadded(civil.month(), 2, out);
  out += '-';
  AppendPadded(civil.day(), 2, out);
  out += 'T';
  AppendPadded(civil.hour(), 2, out);
  out += ':';
  AppendPadded(civil.minute(), 2, out);
  out += ':';
  AppendPadded(civil.second(), 2, out);
  if (const int micros = timestamp.nanos() / 1000; micros != 0) {
    out += '.';
    if (micros % 1000 == 0) {
      AppendPadded(micros / 1000, 3, out);
    } else {
      AppendPadded(micros, 6, out);
    }
  }
  out += "Z\"";
  return true;
}

// A value of a field: of a singular one (index −1), or an element of a repeated one.
struct Slot {
  const Message& message;
  const Reflection& reflection;
  const FieldDescriptor* field;
  int index = -1;

  template <class T>
  T Get(T (Reflection::*single)(const Message&, const FieldDescriptor*) const,
        T (Reflection::*element)(const Message&, const FieldDescriptor*, int) const) const {
    return index < 0 ? (reflection.*single)(message, field) : (reflection.*element)(message, field, index);
  }
  int Enum() const { return Get(&Reflection::GetEnumValue, &Reflection::GetRepeatedEnumValue); }
  const std::string& String(std::string& scratch) const {
    return index < 0 ? reflection.GetStringReference(message, field, &scratch)
                     : reflection.GetRepeatedStringReference(message, field, index, &scratch);
  }
  const Message& SubMessage() const {
    return index < 0 ? reflection.GetMessage(message, field)
                     : reflection.GetRepeatedMessage(message, field, index);
  }
};

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  absl::Status Object(const Message& message, const Plan& plan, CurrencyScope currency) {
    const Reflection& reflection = *message.GetReflection();
    std::string scratch;
    if (plan.currency != nullptr) {
      const std::string& code = reflection.GetStringReference(message, plan.currency->field, &scratch);
      if (!code.empty()) currency = {.code = code, .digits = CurrencyDigits(code)};
    }
    out_ += '{';
    bool first = true;
    for (const FieldPlan& field : plan.fields) {
      const Slot slot{.message = message, .reflection = reflection, .field = field.field};
      if (!IsWritten(field, slot)) continue;
      out_.append(field.separator_and_key, first ? 1 : 0);
      first = false;
      if (field.repeated) {
        RETURN_IF_ERROR(Array(field, slot, currency));
      } else if (field.kind == Kind::kMap) {
        RETURN_IF_ERROR(Map(field, slot, currency));
      } else {
        RETURN_IF_ERROR(Value(field, slot, currency));
      }
    }
    out_ += '}';
    return absl::OkStatus();
  }

 private:
  static bool IsWritten(const FieldPlan& field, const Slot& slot) {
    if (field.field->is_repeated()) return true;
    if (field.field->has_presence() && !slot.reflection.HasField(slot.message, field.field)) return false;
    return field.kind != Kind::kEnum || !EnumName(field, slot.Enum()).empty();
  }

  absl::Status Array(const FieldPlan& field, Slot slot, const CurrencyScope& currency) {
    const int size = slot.reflection.FieldSize(slot.message, field.field);
    Slot element{.message = slot.message, .reflection = slot.reflection, .field = slot.field};
    out_ += '[';
    bool first = true;
    for (element.index = 0; element.index < size; ++element.index) {
      if (field.kind == Kind::kEnum && EnumName(field, element.Enum()).empty()) continue;
      if (!first) out_ += ',';
      first = false;
      RETURN_IF_ERROR(Value(field, element, currency));
    }
    out_ += ']';
    return absl::OkStatus();
  }

  // The entries of a map are messages of a key and a value. In the order of their keys: a map's own order is
  // another one in each process and message, and what is equal shall have equal bytes, and tags.
  absl::Status Map(const FieldPlan& field, Slot slot, const CurrencyScope& currency) {
    const FieldPlan& key = field.message->fields[0];
    const FieldPlan& value = field.message->fields[1];
    if (key.kind != Kind::kString) return CannotWrite(field, "the keys of a JSON object are strings");
    std::vector<std::pair<std::string, const Message*>> entries;
    for (int i = 0; i < slot.reflection.FieldSize(slot.message, field.field); ++i) {
      const Message& entry = slot.reflection.GetRepeatedMessage(slot.message, field.field, i);
      entries.emplace_back(entry.GetReflection()->GetString(entry, key.field), &entry);
    }
    std::sort(entries.begin(), entries.end());
    out_ += '{';
    for (const auto& [name, entry] : entries) {
      if (entry != entries.front().second) out_ += ',';
      const Reflection& reflection = *entry->GetReflection();
      RETURN_IF_ERROR(
          Value(key, {.message = *entry, .reflection = reflection, .field = key.field}, currency));
      out_ += ':';
      RETURN_IF_ERROR(
          Value(value, {.message = *entry, .reflection = reflection, .field = value.field}, currency));
    }
    out_ += '}';
    return absl::OkStatus();
  }

  absl::Status Value(const FieldPlan& field, const Slot& slot, const CurrencyScope& currency) {
    std::string scratch;
    switch (field.kind) {
      case Kind::kString: {
        const std::string& text = slot.String(scratch);
        if (!IsUtf8(text)) return CannotWrite(field, "is not UTF-8");
        AppendString(text, out_);
        break;
      }
      case Kind::kBytes:
        AppendString(absl::Base64Escape(slot.String(scratch)), out_);
        break;
      case Kind::kInt32:
        AppendNumber(slot.Get(&Reflection::GetInt32, &Reflection::GetRepeatedInt32), out_);
        break;
      case Kind::kInt64:
        AppendNumber(slot.Get(&Reflection::GetInt64, &Reflection::GetRepeatedInt64), out_);
        break;
      case Kind::kUint32:
        AppendNumber(slot.Get(&Reflection::GetUInt32, &Reflection::GetRepeatedUInt32), out_);
        break;
      case Kind::kUint64:
        AppendNumber(slot.Get(&Reflection::GetUInt64, &Reflection::GetRepeatedUInt64), out_);
        break;
      case Kind::kFloat:
        return Real(field, slot.Get(&Reflection::GetFloat, &Reflection::GetRepeatedFloat));
      case Kind::kDouble:
        return Real(field, slot.Get(&Reflection::GetDouble, &Reflection::GetRepeatedDouble));
      case Kind::kBool:
        out_ += slot.Get(&Reflection::GetBool, &Reflection::GetRepeatedBool) ? "true" : "false";
        break;
      case Kind::kEnum:
        AppendString(EnumName(field, slot.Enum()), out_);
        break;
      case Kind::kAmount:
        return Amount(field, slot.Get(&Reflection::GetInt64, &Reflection::GetRepeatedInt64), currency);
      case Kind::kTimestamp:
        if (!AppendTimestamp(static_cast<const google::protobuf::Timestamp&>(slot.SubMessage()), out_)) {
          return CannotWrite(field, "is not in the years 1 to 9999");
        }
        break;
      case Kind::kMessage: {
        return Object(slot.SubMessage(), *field.message, currency);
      }
      case Kind::kMap:
        break;
    }
    return absl::OkStatus();
  }

  template <class Number>
  absl::Status Real(const FieldPlan& field, Number number) {
    if (!std::isfinite(number)) return CannotWrite(field, "is not a finite number");
    AppendNumber(number, out_);
    return absl::OkStatus();
  }

  absl::Status Amount(const FieldPlan& field, std::int64_t minor_units, const CurrencyScope& currency) {
    if (currency.digits < 0) {
      if (minor_units != 0) return CannotWrite(field, "an amount without a currency");
      out_ += '0';
      return absl::OkStatus();
    }
    out_ += FormatDecimal(minor_units, currency.digits);
    return absl::OkStatus();
  }

  std::string& out_;
};

// What a byte needs: 0 nothing, 'u' the form \u00xx, else the letter after the backslash.
constexpr std::array<char, 256> kEscapes = [] {
  std::array<char, 256> escapes{};
  for (std::size_t c = 0; c < 0x20; ++c) escapes[c] = 'u';
  escapes['\b'] = 'b';
  escapes['\f'] = 'f';
  escapes['\n'] = 'n';
  escapes['\r'] = 'r';
  escapes['\t'] = 't';
  escapes['"'] = '"';
  escapes['\\'] = '\\';
  return escapes;
}();

}  // namespace

absl::Status Append(const Message& message, std::string& out) {
  const std::size_t size = out.size();
  absl::Status status = Writer(out).Object(message, PlanOf(*message.GetDescriptor()), {});
  if (!status.ok()) out.resize(size);
  return status;
}

void AppendString(std::string_view text, std::string& out) {
  out += '"';
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const char escape = kEscapes[byte];
    if (escape == 0) continue;
    out.append(text, begin, i - begin);
    begin = i + 1;
    out += '\\';
    out += escape;
    if (escape == 'u') {
      constexpr std::string_view kHex = "0123456789abcdef";
      out += "00";
      out += kHex[byte >> 4];
      out += kHex[byte & 0xf];
    }
  }
  out.append(text, begin, text.size() - begin);
  out += '"';
}

}  // namespace bv::json
