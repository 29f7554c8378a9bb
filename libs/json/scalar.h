// One JSON scalar into one protobuf field; internal to libs/json.
#pragma once

#include <absl/status/status.h>
#include <google/protobuf/message.h>

#include "libs/json/document.h"
#include "libs/json/plan.h"

namespace bv::json {

// Where in the document a value stands, linked towards the root; written out only for an error.
struct Path {
  const Path* parent = nullptr;
  std::string_view name;
  // In a repeated field; −1 elsewhere.
  int index = -1;

  // "items[2].qty"
  std::string ToString() const;
};

absl::Status Refuse(std::string_view reason, const Path& path, std::string_view message);

// WRONG_TYPE: what `field` wants, and what it was given.
absl::Status RefuseType(const FieldPlan& field, Type given, const Path& path);

// Sets the field, or appends to a repeated one. Not for messages and maps.
absl::Status SetScalar(const FieldPlan& field, const Node& value, const CurrencyScope& currency,
                       const Path& path, google::protobuf::Message& message);
// The same from text that has no type of its own.
absl::Status SetScalarFromText(const FieldPlan& field, std::string_view text, const CurrencyScope& currency,
                               const Path& path, google::protobuf::Message& message);

}  // namespace bv::json
