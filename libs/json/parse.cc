#include <absl/container/flat_hash_set.h>
#include <absl/container/inlined_vector.h>
#include <absl/strings/numbers.h>

#include "libs/base/macros.h"
#include "libs/base/money.h"
#include "libs/base/strings.h"
#include "libs/json/document.h"
#include "libs/json/json.h"
#include "libs/json/plan.h"
#include "libs/json/scalar.h"

namespace bv::json {
namespace {

using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr std::string_view kWantsObject = "must be an object";

// The message's own currency; the enclosing one's when it has none.
CurrencyScope CurrencyOf(const Plan& plan, const Message& message, const CurrencyScope& enclosing,
                         std::string& scratch) {
  if (plan.currency == nullptr) return enclosing;
  const std::string& code =
      message.GetReflection()->GetStringReference(message, plan.currency->field, &scratch);
  if (code.empty()) return enclosing;
  return {.code = code, .digits = CurrencyDigits(code)};
}

enum class UnknownFields { kRefuse, kPassOver };

class Reader {
 public:
  Reader(const Document& document, UnknownFields unknown) : document_(document), unknown_(unknown) {}

  absl::Status Object(std::uint32_t node, const Plan& plan, const CurrencyScope& enclosing, const Path& path,
                      Message& message) {
    if (document_[node].type != Type::kObject) return Refuse("WRONG_TYPE", path, kWantsObject);
    // By the field's index: the node of its value, 0 when it is not given (node 0 is the root).
    absl::InlinedVector<std::uint32_t, 32> values(plan.fields.size(), 0);
    RETURN_IF_ERROR(MatchFields(node, plan, path, values));
    // Amounts and sub-messages come last, because the currency may stand after them in the text.
    RETURN_IF_ERROR(SetFields(plan, values, Pass::kBeforeCurrency, {}, path, message));
    std::string scratch;
    const CurrencyScope currency = CurrencyOf(plan, message, enclosing, scratch);
    if (plan.has_amounts && currency.digits < 0 && plan.currency != nullptr &&
        values[plan.currency->index] != 0 && !currency.code.empty()) {
      return Refuse("INVALID_VALUE", {.parent = &path, .name = plan.currency->name},
                    "must be an ISO 4217 currency, for example USD");
    }
    return SetFields(plan, values, Pass::kAfterCurrency, currency, path, message);
  }

 private:
  enum class Pass { kBeforeCurrency, kAfterCurrency };

  static Pass PassOf(Kind kind) {
    return kind == Kind::kAmount || kind == Kind::kMessage || kind == Kind::kMap ? Pass::kAfterCurrency
                                                                                 : Pass::kBeforeCurrency;
  }

  absl::Status MatchFields(std::uint32_t node, const Plan& plan, const Path& path,
                           absl::InlinedVector<std::uint32_t, 32>& values) const {
    const std::uint32_t end = document_[node].end;
    for (std::uint32_t child = node + 1; child < end; child = document_[child].end) {
      const Path child_path{.parent = &path, .name = document_[child].key};
      const FieldPlan* field = plan.Find(child_path.name);
      if (field == nullptr) {
        if (unknown_ == UnknownFields::kPassOver) continue;
        return Refuse("UNKNOWN_FIELD", child_path, "is not a known field");
      }
      std::uint32_t& value = values[field->index];
      if (value != 0) return Refuse("DUPLICATE_FIELD", child_path, "is given twice");
      value = child;
    }
    return absl::OkStatus();
  }

  absl::Status SetFields(const Plan& plan, const absl::InlinedVector<std::uint32_t, 32>& values, Pass pass,
                         const CurrencyScope& currency, const Path& path, Message& message) {
    for (const FieldPlan& field : plan.fields) {
      const std::uint32_t node = values[field.index];
      if (node == 0 || PassOf(field.kind) != pass) continue;
      const Path field_path{.parent = &path, .name = field.name};
      RETURN_IF_ERROR(CheckOneof(field, field_path, message));
      if (field.repeated) {
        RETURN_IF_ERROR(Array(node, field, currency, field_path, message));
      } else {
        RETURN_IF_ERROR(Value(node, field, currency, field_path, message));
      }
    }
    return absl::OkStatus();
  }

  static absl::Status CheckOneof(const FieldPlan& field, const Path& path, const Message& message) {
    const auto* oneof = field.field->real_containing_oneof();
    if (oneof == nullptr) return absl::OkStatus();
    const auto* other = message.GetReflection()->GetOneofFieldDescriptor(message, oneof);
    if (other == nullptr || other == field.field) return absl::OkStatus();
    return Refuse("INVALID_VALUE", path, Concat("must not be given together with ", other->json_name()));
  }

  absl::Status Array(std::uint32_t node, const FieldPlan& field, const CurrencyScope& currency,
                     const Path& path, Message& message) {
    if (document_[node].type != Type::kArray) return Refuse("WRONG_TYPE", path, "must be an array");
    Path element_path{.parent = path.parent, .name = path.name, .index = 0};
    const std::uint32_t end = document_[node].end;
    for (std::uint32_t child = node + 1; child < end; child = document_[child].end, ++element_path.index) {
      RETURN_IF_ERROR(Value(child, field, currency, element_path, message));
    }
    return absl::OkStatus();
  }

  absl::Status Value(std::uint32_t node, const FieldPlan& field, const CurrencyScope& currency,
                     const Path& path, Message& message) {
    if (field.kind == Kind::kMap) return Map(node, field, currency, path, message);
    if (field.kind != Kind::kMessage) return SetScalar(field, document_[node], currency, path, message);
    if (document_[node].type != Type::kObject) return RefuseType(field, document_[node].type, path);
    const Reflection& reflection = *message.GetReflection();
    Message* child = field.repeated ? reflection.AddMessage(&message, field.field)
                                    : reflection.MutableMessage(&message, field.field);
    return Object(node, *field.message, currency, path, *child);
  }

  // The entries of a map are messages of a key and a value.
  absl::Status Map(std::uint32_t node, const FieldPlan& field, const CurrencyScope& currency,
                   const Path& path, Message& message) {
    if (document_[node].type != Type::kObject) return RefuseType(field, document_[node].type, path);
    const FieldPlan& key = field.message->fields[0];
    const FieldPlan& value = field.message->fields[1];
    if (key.kind != Kind::kString) return Refuse("INVALID_VALUE", path, "has keys that JSON cannot name");
    absl::flat_hash_set<std::string> seen;
    const std::uint32_t end = document_[node].end;
    for (std::uint32_t child = node + 1; child < end; child = document_[child].end) {
      std::string name(document_[child].key);
      const Path entry_path{.parent = &path, .name = document_[child].key};
      if (!seen.insert(name).second) return Refuse("DUPLICATE_FIELD", entry_path, "is given twice");
      Message* entry = message.GetReflection()->AddMessage(&message, field.field);
      entry->GetReflection()->SetString(entry, key.field, std::move(name));
      RETURN_IF_ERROR(Value(child, value, currency, entry_path, *entry));
    }
    return absl::OkStatus();
  }

  const Document& document_;
  const UnknownFields unknown_;
};

}  // namespace

absl::Status Parse(std::string_view text, Message& message, ParseLimits limits) {
  Document document;
  RETURN_IF_ERROR(document.Read(text, limits));
  const Path root;
  return Reader(document, UnknownFields::kRefuse)
      .Object(0, PlanOf(*message.GetDescriptor()), {}, root, message);
}

Object::Object(std::unique_ptr<Document> document) : document_(std::move(document)) {}
Object::Object(Object&&) noexcept = default;
Object& Object::operator=(Object&&) noexcept = default;
Object::~Object() = default;

absl::StatusOr<Object> Object::Read(std::string_view text, ParseLimits limits) {
  auto document = std::make_unique<Document>();
  RETURN_IF_ERROR(document->Read(text, limits));
  if ((*document)[0].type != Type::kObject) return Refuse("WRONG_TYPE", {}, kWantsObject);
  return Object(std::move(document));
}

std::uint32_t Object::FindIn(std::uint32_t object, std::string_view name) const {
  const Document& document = *document_;
  for (std::uint32_t child = object + 1; child < document[object].end; child = document[child].end) {
    if (document[child].key == name) return child;
  }
  return 0;
}

std::string_view Object::TextAt(std::uint32_t node) const {
  if (node == 0 || (*document_)[node].type != Type::kString) return {};
  return (*document_)[node].text;
}

std::string_view Object::Text(std::string_view name) const {
  return TextAt(Find(name));
}

std::string_view Object::TextIn(std::string_view object, std::string_view name) const {
  const std::uint32_t node = Find(object);
  if (node == 0 || (*document_)[node].type != Type::kObject) return {};
  return TextAt(FindIn(node, name));
}

std::optional<std::int64_t> Object::Integer(std::string_view name) const {
  const std::uint32_t node = Find(name);
  std::int64_t number = 0;
  if (node == 0 || (*document_)[node].type != Type::kNumber ||
      !absl::SimpleAtoi(Absl((*document_)[node].text), &number))
    return std::nullopt;
  return number;
}

absl::Status Object::Parse(std::string_view name, Message& message) const {
  const Path path{.name = name};
  const std::uint32_t node = Find(name);
  if (node == 0) return Refuse("WRONG_TYPE", path, kWantsObject);
  return Reader(*document_, UnknownFields::kPassOver)
      .Object(node, PlanOf(*message.GetDescriptor()), {}, path, message);
}

absl::Status SetFromText(std::string_view path, std::string_view text, Message& message) {
  const Path whole{.name = path};
  const Plan* plan = &PlanOf(*message.GetDescriptor());
  Message* owner = &message;
  const FieldPlan* field = nullptr;
  for (std::string_view rest = path; field == nullptr;) {
    const std::size_t dot = rest.find('.');
    const FieldPlan* step = plan->Find(rest.substr(0, dot));
    const bool is_last = dot == std::string_view::npos;
    const bool is_message = step != nullptr && step->kind == Kind::kMessage && !step->repeated;
    if (step == nullptr || step->kind == Kind::kMap || (step->kind == Kind::kMessage && !is_message) ||
        is_last == is_message) {
      return Refuse("UNKNOWN_FIELD", whole, "is not a known parameter");
    }
    if (is_last) {
      field = step;
    } else {
      owner = owner->GetReflection()->MutableMessage(owner, step->field);
      plan = step->message;
      rest.remove_prefix(dot + 1);
    }
  }
  if (!IsUtf8(text) || text.find('\0') != std::string_view::npos) {
    return Refuse("INVALID_VALUE", whole, "must be UTF-8 without the character U+0000");
  }
  std::string scratch;
  return SetScalarFromText(*field, text, CurrencyOf(*plan, *owner, {}, scratch), whole, *owner);
}

}  // namespace bv::json
