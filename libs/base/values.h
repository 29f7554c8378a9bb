// Validated values: what a string has to look like before the domain takes it. Made in rpc/ and store/, never
// in domain/.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <string_view>

namespace bv {

// A string that passed the check of its tag. Parse fails with INVALID_ARGUMENT, reason INVALID_VALUE, naming
// `field`.
template <class Tag>
class Value {
 public:
  Value() = default;
  static absl::StatusOr<Value> Parse(std::string_view text, std::string_view field = Tag::kField) {
    if (absl::Status status = Tag::Check(text, field); !status.ok()) return status;
    return Value(std::string(text));
  }
  // For rows of the own database.
  static Value Trusted(std::string text) { return Value(std::move(text)); }

  const std::string& str() const { return text_; }
  bool empty() const { return text_.empty(); }

  friend bool operator==(const Value&, const Value&) = default;
  friend auto operator<=>(const Value&, const Value&) = default;
  template <class H>
  friend H AbslHashValue(H state, const Value& value) {
    return H::combine(std::move(state), value.text_);
  }

 private:
  explicit Value(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

#define BV_DEFINE_VALUE(Name, field)                                               \
  struct Name##Tag {                                                               \
    static constexpr std::string_view kField = field;                              \
    static absl::Status Check(std::string_view text, std::string_view field_name); \
  };                                                                               \
  using Name = Value<Name##Tag>

// 1 to 63 of a-z 0-9 -, the first a letter or digit.
BV_DEFINE_VALUE(TenantId, "tenant");
// 1 to 64 of A-Z a-z 0-9 . _ -
BV_DEFINE_VALUE(SkuCode, "sku");
// 1 to 32 of A-Z a-z 0-9 _ -
BV_DEFINE_VALUE(LocationCode, "locationCode");
// 1 to 32 of A-Z a-z 0-9 _ -
BV_DEFINE_VALUE(StoreCode, "storeCode");
// 1 to 64 of A-Z 0-9 _
BV_DEFINE_VALUE(ReasonCode, "reason");
// At most 254 characters, one @, a dot in the domain, no blanks or control characters.
BV_DEFINE_VALUE(Email, "email");
// E.164: + and 7 to 15 digits.
BV_DEFINE_VALUE(Phone, "phone");
// ISO 3166-1 alpha-2, upper case.
BV_DEFINE_VALUE(CountryCode, "countryCode");

// INVALID_ARGUMENT unless `text` is valid UTF-8 without control characters (new lines and tabs are allowed)
// and has between `min` and `max` code points.
absl::Status CheckText(std::string_view text, std::size_t min, std::size_t max, std::string_view field);

}  // namespace bv
