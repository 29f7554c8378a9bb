#include "libs/audit/difference.h"

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "commerce/common/v1/options.pb.h"
#include "libs/base/digest.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/json/json.h"

namespace bv::audit {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr char kPersonal[] = "(personal)";
// Afterwards, so that it is seen that it differs.
constexpr char kPersonalChanged[] = "(personal, changed)";

// How many values the field has; the message may be null in all of these.
int Count(const Message* message, const FieldDescriptor& field) {
  if (message == nullptr) return 0;
  const google::protobuf::Reflection& reflection = *message->GetReflection();
  if (field.is_repeated()) return reflection.FieldSize(*message, &field);
  return reflection.HasField(*message, &field) ? 1 : 0;
}

std::string TextOf(const Message* message, const FieldDescriptor& field, int index) {
  if (index >= Count(message, field)) return {};
  const google::protobuf::Reflection& reflection = *message->GetReflection();
  return field.is_repeated() ? reflection.GetRepeatedString(*message, &field, index)
                             : reflection.GetString(*message, &field);
}

void SetText(Message* message, const FieldDescriptor& field, int index, const char* text) {
  const google::protobuf::Reflection& reflection = *message->GetReflection();
  if (field.is_repeated()) {
    reflection.SetRepeatedString(message, &field, index, text);
  } else {
    reflection.SetString(message, &field, text);
  }
}

Message* PartOf(Message* message, const FieldDescriptor& field, int index) {
  if (index >= Count(message, field)) return nullptr;
  const google::protobuf::Reflection& reflection = *message->GetReflection();
  return field.is_repeated() ? reflection.MutableRepeatedMessage(message, &field, index)
                             : reflection.MutableMessage(message, &field);
}

void RedactText(const FieldDescriptor& field, int index, Message* before, Message* after) {
  const std::string was = TextOf(before, field, index), is = TextOf(after, field, index);
  if (!was.empty()) SetText(before, field, index, kPersonal);
  if (!is.empty()) SetText(after, field, index, was.empty() || was == is ? kPersonal : kPersonalChanged);
}

// One of them may be null.
void Redact(Message* before, Message* after) {
  const google::protobuf::Descriptor& type = *(before != nullptr ? before : after)->GetDescriptor();
  for (int number = 0; number < type.field_count(); ++number) {
    const FieldDescriptor& field = *type.field(number);
    const bool personal = field.options().GetExtension(commerce::common::v1::personal);
    if (personal && field.cpp_type() != FieldDescriptor::CPPTYPE_STRING) {
      for (Message* message : {before, after}) {
        if (message != nullptr) message->GetReflection()->ClearField(message, &field);
      }
    }
    const int count = std::max(Count(before, field), Count(after, field));
    for (int index = 0; index < count; ++index) {
      if (personal) {
        RedactText(field, index, before, after);
      } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        Redact(PartOf(before, field, index), PartOf(after, field, index));
      }
    }
  }
}

// Names, with their quotes, and the texts of their values.
using Members = std::vector<std::pair<std::string_view, std::string_view>>;

// Where the name or value ends that begins at `at`, in a text that libs/json has written.
std::size_t EndOf(std::string_view text, std::size_t at) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = at; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (depth == 0 && (c == ':' || c == ',' || c == '}' || c == ']')) {
      return i;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return text.size();
}

Members MembersOf(std::string_view object) {
  Members members;
  for (std::size_t at = 1; at < object.size() && object[at] == '"';) {
    const std::size_t colon = EndOf(object, at);
    const std::size_t end = EndOf(object, colon + 1);
    members.emplace_back(object.substr(at, colon - at), object.substr(colon + 1, end - colon - 1));
    at = end + 1;
  }
  return members;
}

void AppendMember(std::string_view name, std::string_view value, std::string& object) {
  if (object.size() > 1) object += ',';
  object.append(name).append(1, ':').append(value);
}

// Both objects without the members that are the same.
Difference Differing(std::string_view before, std::string_view after) {
  const Members old_members = MembersOf(before), new_members = MembersOf(after);
  Difference difference{.before = "{", .after = "{"};
  const auto find = [](const Members& members, std::string_view name) {
    return std::ranges::find(members, name, &Members::value_type::first);
  };
  for (const auto& [name, was] : old_members) {
    const auto now = find(new_members, name);
    if (now == new_members.end()) {
      AppendMember(name, was, difference.before);
    } else if (was != now->second) {
      const bool objects = was.front() == '{' && now->second.front() == '{';
      const Difference inner =
          objects ? Differing(was, now->second) : Difference{std::string(was), std::string(now->second)};
      AppendMember(name, inner.before, difference.before);
      AppendMember(name, inner.after, difference.after);
    }
  }
  for (const auto& [name, is] : new_members) {
    if (find(old_members, name) == old_members.end()) AppendMember(name, is, difference.after);
  }
  difference.before += '}';
  difference.after += '}';
  return difference;
}

absl::StatusOr<std::string> JsonOf(const std::unique_ptr<Message>& message) {
  std::string text;
  if (message) RETURN_IF_ERROR(json::Append(*message, text));
  return text;
}

std::string Bounded(std::string text) {
  if (text.size() <= kValuesBytesMax) return text;
  return Concat(R"({"tooLong":)", text.size(), R"(,"sha256":")", Sha256Hex(text), R"("})");
}

}  // namespace

absl::StatusOr<Difference> Compare(const Message* before, const Message* after) {
  const auto copy = [](const Message* message) {
    std::unique_ptr<Message> made(message != nullptr ? message->New() : nullptr);
    if (made) made->CopyFrom(*message);
    return made;
  };
  const std::unique_ptr<Message> was = copy(before), is = copy(after);
  if (was || is) Redact(was.get(), is.get());
  ASSIGN_OR_RETURN(std::string old_text, JsonOf(was));
  ASSIGN_OR_RETURN(std::string new_text, JsonOf(is));
  if (!was || !is) return Difference{Bounded(std::move(old_text)), Bounded(std::move(new_text))};
  if (old_text == new_text) return Difference();
  Difference difference = Differing(old_text, new_text);
  return Difference{Bounded(std::move(difference.before)), Bounded(std::move(difference.after))};
}

}  // namespace bv::audit
