#include "services/gateway/rest/fields.h"

#include <absl/strings/str_split.h>

#include <algorithm>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"

namespace bv::gateway {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

constexpr int kNamesMax = 100;
constexpr int kPartsMax = 8;

absl::Status Refuse(std::string_view reason, std::string_view message) {
  return Error(absl::StatusCode::kInvalidArgument, reason, message, kFieldsParameter);
}

// Null when `message` is null or has no such field.
const FieldDescriptor* FieldIn(const Descriptor* message, std::string_view json_name) {
  for (int i = 0; message != nullptr && i < message->field_count(); ++i) {
    if (message->field(i)->json_name() == json_name) return message->field(i);
  }
  return nullptr;
}

// The message that a name may go on into; null for a scalar, and for what JSON does not show as an object
// with these fields.
const Descriptor* Inside(const FieldDescriptor& field) {
  const bool opaque = field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE || field.is_map() ||
                      field.message_type()->file()->package() == "google.protobuf";
  return opaque ? nullptr : field.message_type();
}

}  // namespace

absl::StatusOr<FieldSelection> FieldSelection::Parse(std::string_view text, const Descriptor& answer) {
  FieldSelection selection;
  int names = 0;
  for (const absl::string_view name : absl::StrSplit(Absl(text), ',')) {
    if (++names > kNamesMax) return Refuse("INVALID_VALUE", Concat("at most ", kNamesMax, " names"));
    if (name.empty()) return Refuse("INVALID_VALUE", "must be names, separated by commas");
    // For what follows a name all of whose value is selected already.
    Node unused;
    Node* node = &selection.root_;
    const Descriptor* message = &answer;
    int parts = 0;
    for (const absl::string_view part : absl::StrSplit(name, '.')) {
      if (++parts > kPartsMax)
        return Refuse("INVALID_VALUE", Concat("a name has at most ", kPartsMax, " parts"));
      const FieldDescriptor* field = FieldIn(message, Std(part));
      if (field == nullptr) return Refuse("UNKNOWN_FIELD", Concat("the answer has no ", Std(name)));
      message = Inside(*field);
      const auto [child, is_new] = node->children.try_emplace(std::string(part));
      node = !is_new && child->second.children.empty() ? &unused : &child->second;
    }
    node->children.clear();
  }
  return selection;
}

// Goes through one text from its beginning to its end.
class FieldSelection::Copier {
 public:
  Copier(std::string_view in, std::string& out) : in_(in), out_(out) {}

  void Value(const Node& node) {
    if (node.children.empty() || (in_[at_] != '{' && in_[at_] != '[')) {
      const std::size_t begin = at_;
      Skip();
      out_ += in_.substr(begin, at_ - begin);
    } else if (in_[at_] == '{') {
      Object(node);
    } else {
      Array(node);
    }
  }

 private:
  void Object(const Node& node) {
    out_ += in_[at_++];
    for (bool first = true; in_[at_] != '}';) {
      if (in_[at_] == ',') ++at_;
      const std::size_t begin = at_;
      SkipString();
      const std::string_view name = in_.substr(begin + 1, at_ - begin - 2);
      ++at_;  // ':'
      const auto child = node.children.find(name);
      if (child == node.children.end()) {
        Skip();
        continue;
      }
      if (!first) out_ += ',';
      first = false;
      out_ += in_.substr(begin, at_ - begin);
      Value(child->second);
    }
    out_ += in_[at_++];
  }

  void Array(const Node& node) {
    out_ += in_[at_++];
    while (in_[at_] != ']') {
      if (in_[at_] == ',') out_ += in_[at_++];
      Value(node);
    }
    out_ += in_[at_++];
  }

  void Skip() {
    if (in_[at_] == '"') return SkipString();
    for (int depth = 0; at_ < in_.size();) {
      const char c = in_[at_];
      if (c == '"') {
        SkipString();
        continue;
      }
      if (depth == 0 && (c == ',' || c == '}' || c == ']')) return;
      if (c == '{' || c == '[') ++depth;
      if (c == '}' || c == ']') --depth;
      ++at_;
    }
  }

  void SkipString() {
    for (++at_; in_[at_] != '"'; ++at_) {
      if (in_[at_] == '\\') ++at_;
    }
    ++at_;
  }

  const std::string_view in_;
  std::string& out_;
  std::size_t at_ = 0;
};

void FieldSelection::Apply(std::string& json) const {
  std::string kept;
  kept.reserve(json.size());
  Copier(json, kept).Value(root_);
  json = std::move(kept);
}

}  // namespace bv::gateway
