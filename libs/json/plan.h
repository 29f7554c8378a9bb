// What a message type's descriptor says about its JSON, read once and kept; internal to libs/json.
#pragma once

#include <google/protobuf/descriptor.h>

#include <string>
#include <string_view>
#include <vector>

namespace bv::json {

enum class Kind {
  kString,
  kBytes,
  kInt32,
  kInt64,
  kUint32,
  kUint64,
  kFloat,
  kDouble,
  kBool,
  kEnum,
  kAmount,
  kTimestamp,
  kMessage,
  kMap,
};

struct Plan;

struct FieldPlan {
  const google::protobuf::FieldDescriptor* field;
  Kind kind;
  bool repeated;
  // Index in Plan::fields.
  std::size_t index;
  // "totalAmount", and the same with what stands around it: `,"totalAmount":`.
  std::string name;
  std::string separator_and_key;
  // Characters that every value of the enum starts with: "ORDER_STATUS_".
  std::size_t enum_prefix_length = 0;
  // Of kMessage, and of the entries (key and value) of a kMap.
  const Plan* message = nullptr;
};

struct Plan {
  // In the order of the contract.
  std::vector<FieldPlan> fields;
  std::vector<const FieldPlan*> by_name;
  // The string field `currency`, which amounts of the message are read with.
  const FieldPlan* currency = nullptr;
  bool has_amounts = false;

  // Null when there is none.
  const FieldPlan* Find(std::string_view name) const;
};

// Of a descriptor that lives as long as the process, as those of generated code do. Thread safe.
const Plan& PlanOf(const google::protobuf::Descriptor& descriptor);

// Without the enum's prefix; empty for zero and for a number that the contract does not know.
std::string_view EnumName(const FieldPlan& field, int number);

// The currency that amounts are read with, and its digits after the point; -1 without a currency in use.
struct CurrencyScope {
  std::string_view code;
  int digits = -1;
};

// As protobuf itself checks strings.
bool IsUtf8(std::string_view text);

}  // namespace bv::json
