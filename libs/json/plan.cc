#include "libs/json/plan.h"

#include <absl/container/flat_hash_map.h>
#include <google/protobuf/stubs/common.h>

#include <algorithm>
#include <memory>
#include <mutex>

#include "commerce/common/v1/options.pb.h"

namespace bv::json {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;

// OrderStatus → "ORDER_STATUS_".
std::string PrefixOf(const EnumDescriptor& descriptor) {
  std::string prefix;
  for (const char c : descriptor.name()) {
    const bool upper = c >= 'A' && c <= 'Z';
    if (upper && !prefix.empty()) prefix += '_';
    prefix += static_cast<char>(upper || c < 'a' ? c : c - 'a' + 'A');
  }
  prefix += '_';
  for (int i = 0; i < descriptor.value_count(); ++i) {
    if (descriptor.value(i)->name().rfind(prefix, 0) != 0) return {};
  }
  return prefix;
}

Kind KindOf(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return Kind::kInt32;
    case FieldDescriptor::CPPTYPE_INT64:
      return field.options().GetExtension(commerce::common::v1::amount) ? Kind::kAmount : Kind::kInt64;
    case FieldDescriptor::CPPTYPE_UINT32:
      return Kind::kUint32;
    case FieldDescriptor::CPPTYPE_UINT64:
      return Kind::kUint64;
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return Kind::kDouble;
    case FieldDescriptor::CPPTYPE_FLOAT:
      return Kind::kFloat;
    case FieldDescriptor::CPPTYPE_BOOL:
      return Kind::kBool;
    case FieldDescriptor::CPPTYPE_ENUM:
      return Kind::kEnum;
    case FieldDescriptor::CPPTYPE_STRING:
      return field.type() == FieldDescriptor::TYPE_BYTES ? Kind::kBytes : Kind::kString;
    case FieldDescriptor::CPPTYPE_MESSAGE:
      break;
  }
  if (field.is_map()) return Kind::kMap;
  return field.message_type()->full_name() == "google.protobuf.Timestamp" ? Kind::kTimestamp : Kind::kMessage;
}

class Plans {
 public:
  const Plan& Of(const Descriptor& descriptor) {
    const std::lock_guard lock(mutex_);
    return Make(descriptor);
  }

 private:
  // A message may contain itself, so its plan is known before it is filled in; the lock is held until it is.
  const Plan& Make(const Descriptor& descriptor) {
    auto [entry, is_new] = plans_.try_emplace(&descriptor);
    if (!is_new) return *entry->second;
    entry->second = std::make_unique<Plan>();
    Plan& plan = *entry->second;
    plan.fields.reserve(static_cast<std::size_t>(descriptor.field_count()));
    for (int i = 0; i < descriptor.field_count(); ++i) plan.fields.push_back(MakeField(*descriptor.field(i)));
    for (const FieldPlan& field : plan.fields) {
      plan.by_name.push_back(&field);
      plan.has_amounts |= field.kind == Kind::kAmount;
      if (field.name == "currency" && field.kind == Kind::kString && !field.repeated) plan.currency = &field;
    }
    std::ranges::sort(plan.by_name, {}, [](const FieldPlan* field) { return std::string_view(field->name); });
    return plan;
  }

  FieldPlan MakeField(const FieldDescriptor& field) {
    FieldPlan plan{.field = &field,
                   .kind = KindOf(field),
                   .repeated = field.is_repeated() && !field.is_map(),
                   .index = static_cast<std::size_t>(field.index()),
                   .name = field.json_name(),
                   .separator_and_key = ",\"" + field.json_name() + "\":"};
    if (plan.kind == Kind::kEnum) plan.enum_prefix_length = PrefixOf(*field.enum_type()).size();
    if (plan.kind == Kind::kMessage || plan.kind == Kind::kMap) plan.message = &Make(*field.message_type());
    return plan;
  }

  std::mutex mutex_;
  absl::flat_hash_map<const Descriptor*, std::unique_ptr<Plan>> plans_;
};

}  // namespace

const FieldPlan* Plan::Find(std::string_view name) const {
  const auto found = std::ranges::lower_bound(
      by_name, name, {}, [](const FieldPlan* field) { return std::string_view(field->name); });
  return found != by_name.end() && (*found)->name == name ? *found : nullptr;
}

const Plan& PlanOf(const Descriptor& descriptor) {
  static Plans* const plans = new Plans;
  // Most calls find their plan here, without a lock.
  thread_local absl::flat_hash_map<const Descriptor*, const Plan*> known;
  const Plan*& plan = known[&descriptor];
  if (plan == nullptr) plan = &plans->Of(descriptor);
  return *plan;
}

std::string_view EnumName(const FieldPlan& field, int number) {
  if (number == 0) return {};
  const auto* value = field.field->enum_type()->FindValueByNumber(number);
  return value == nullptr ? std::string_view()
                          : std::string_view(value->name()).substr(field.enum_prefix_length);
}

bool IsUtf8(std::string_view text) {
  return google::protobuf::internal::IsStructurallyValidUTF8(text.data(), static_cast<int>(text.size()));
}

}  // namespace bv::json
