// Protobuf ↔ JSON in the conventions of the API:
//   - names in lowerCamelCase; enum values without their prefix (ORDER_STATUS_PENDING is "PENDING"), unknown
//   or zero left out
//   - int64 is a JSON number; a field with option `amount` is the decimal number of minor units in the
//   currency that the field
//     `currency` of its message, or else of the nearest enclosing one, names (12950 with USD is 129.50),
//     exactly; zero needs no currency
//   - Timestamp is RFC 3339 in UTC with at most microseconds; bytes are base64
//   - strings, numbers and bools without presence are written even when they are empty, zero or false, so
//   that a reader finds
//     every field; absent `optional` fields, messages and timestamps are left out
// Descriptors are walked once a type; what they say is kept as a plan.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <google/protobuf/message.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace bv::json {

class Document;

// Appends the message to `out`. INTERNAL when an amount has no currency to be read with or a string is not
// UTF-8.
absl::Status Append(const google::protobuf::Message& message, std::string& out);

struct ParseLimits {
  int depth_max = 16;
  // Objects, arrays and scalars together: a value costs 48 bytes while it is read, but may be written in two.
  std::size_t values_max = 20'000;
};

// Merges the JSON object in `text` into `message`. INVALID_ARGUMENT, field named by its JSON path
// ("items[2].qty"): reason MALFORMED_JSON (with the offset), UNKNOWN_FIELD, DUPLICATE_FIELD, WRONG_TYPE (says
// what is wanted), INVALID_VALUE (number out of range, unknown enum value, amount with too many digits or
// without a currency).
absl::Status Parse(std::string_view text, google::protobuf::Message& message, ParseLimits limits = {});

// A JSON object that has been read, of which members are taken one by one: for a reader that learns from one
// member what another one is. Movable; thread safe to read.
class Object {
 public:
  // INVALID_ARGUMENT, reason MALFORMED_JSON (with the offset), or WRONG_TYPE for what is not an object.
  static absl::StatusOr<Object> Read(std::string_view text, ParseLimits limits = {});
  Object(Object&&) noexcept;
  Object& operator=(Object&&) noexcept;
  ~Object();

  // The text of a string; empty when there is none of this name. Valid as long as the object.
  std::string_view Text(std::string_view name) const;
  // The same of a member of the object `object`; empty when there is no such object.
  std::string_view TextIn(std::string_view object, std::string_view name) const;
  // A number without fraction or exponent, within 64 bits; absent when there is none of this name.
  std::optional<std::int64_t> Integer(std::string_view name) const;
  // Whatever it is, null too.
  bool Has(std::string_view name) const { return Find(name) != 0; }
  // Merges the object under `name` into `message`, as json::Parse, but fields that `message` does not have
  // are passed over: the writer may be newer than the reader. INVALID_ARGUMENT, reason WRONG_TYPE, also when
  // there is no such object.
  absl::Status Parse(std::string_view name, google::protobuf::Message& message) const;

 private:
  explicit Object(std::unique_ptr<Document> document);
  // The index of the member's value, 0 when there is none.
  std::uint32_t Find(std::string_view name) const { return FindIn(0, name); }
  // The same in the object at the index `object`.
  std::uint32_t FindIn(std::uint32_t object, std::string_view name) const;
  std::string_view TextAt(std::uint32_t node) const;

  std::unique_ptr<Document> document_;
};

// Sets one scalar field from text, as found in a URL: a path segment or a query parameter, already
// percent-decoded. A repeated field is appended to. `path` is lowerCamelCase, dotted for a field of a
// sub-message. Errors as of Parse.
absl::Status SetFromText(std::string_view path, std::string_view text, google::protobuf::Message& message);

// Appends `text` quoted and escaped.
void AppendString(std::string_view text, std::string& out);

}  // namespace bv::json
