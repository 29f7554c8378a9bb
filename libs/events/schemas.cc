#include "libs/events/schemas.h"

#include <absl/container/flat_hash_map.h>
#include <absl/strings/str_replace.h>
#include <rapidjson/document.h>
#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>
#include <rapidjson/schema.h>
#include <rapidjson/stringbuffer.h>

#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>

#include "libs/base/error.h"
#include "libs/base/strings.h"
#include "libs/telemetry/telemetry.h"

namespace bv::events {
namespace {

using Pointer = rapidjson::Pointer;

std::string_view View(const rapidjson::Value& text) {
  return {text.GetString(), text.GetStringLength()};
}

// Says in the words of draft 4, which rapidjson knows, what the schemas say in those of draft 7: `const` is
// an `enum` of one value, and \d a range. tests/proto/test_schemas.py proves that the schemas use nothing
// else that it would pass over.
void Translate(rapidjson::Value& part, rapidjson::Document::AllocatorType& allocator) {
  if (part.IsArray()) {
    for (rapidjson::Value& element : part.GetArray()) Translate(element, allocator);
    return;
  }
  if (!part.IsObject()) return;
  for (auto& member : part.GetObject()) Translate(member.value, allocator);
  if (const auto pattern = part.FindMember("pattern");
      pattern != part.MemberEnd() && pattern->value.IsString()) {
    const std::string text = absl::StrReplaceAll(Absl(View(pattern->value)), {{"\\d", "[0-9]"}});
    pattern->value.SetString(text.data(), static_cast<rapidjson::SizeType>(text.size()), allocator);
  }
  // A property may have this name too, and is then an object.
  if (const auto only = part.FindMember("const"); only != part.MemberEnd() && !only->value.IsObject()) {
    rapidjson::Value values(rapidjson::kArrayType);
    values.PushBack(rapidjson::Value(only->value, allocator), allocator);
    part.RemoveMember(only);
    part.AddMember("enum", values, allocator);
  }
}

struct Schema {
  explicit Schema(std::string_view json) {
    source.Parse(json.data(), json.size());
    if (source.HasParseError()) {
      telemetry::Log(telemetry::Level::kError, "not a JSON Schema", {{"text", json}});
      std::abort();
    }
    Translate(source, source.GetAllocator());
    compiled = std::make_unique<rapidjson::SchemaDocument>(source);
  }

  rapidjson::Document source;
  std::unique_ptr<rapidjson::SchemaDocument> compiled;
  // Held while it is used: a pattern of rapidjson 1.1 keeps the state of its search in itself.
  mutable std::mutex mutex;
};

const Schema* Find(std::string_view type) {
  static const auto& schemas = *[] {
    auto* all = new absl::flat_hash_map<std::string_view, std::unique_ptr<const Schema>>;
    for (const SchemaText& text : SchemaTexts()) all->emplace(text.type, std::make_unique<Schema>(text.json));
    return all;
  }();
  const auto found = schemas.find(type);
  return found == schemas.end() ? nullptr : found->second.get();
}

// The name behind the object's own pointer for what an object lacks, or has too much; rapidjson does not
// tell.
std::string Member(const rapidjson::Value& object, const rapidjson::Value& schema, std::string_view keyword) {
  if (keyword == "required") {
    for (const rapidjson::Value& name : schema["required"].GetArray())
      if (!object.HasMember(name)) return Concat("/", View(name));
  } else if (keyword == "additionalProperties") {
    for (const auto& member : object.GetObject())
      if (!schema["properties"].HasMember(member.name)) return Concat("/", View(member.name));
  }
  return "";
}

absl::Status NotValid(std::string_view type, std::string_view envelope, const Schema& schema,
                      const rapidjson::SchemaValidator& validator) {
  const Pointer where = validator.GetInvalidDocumentPointer();
  const std::string_view keyword = validator.GetInvalidSchemaKeyword();
  rapidjson::StringBuffer text;
  where.Stringify(text);
  std::string field(text.GetString(), text.GetSize());
  rapidjson::Document document;
  document.Parse(envelope.data(), envelope.size());
  const rapidjson::Value* object = where.Get(document);
  const rapidjson::Value* rules = validator.GetInvalidSchemaPointer().Get(schema.source);
  if (object != nullptr && object->IsObject() && rules != nullptr && rules->IsObject())
    field += Member(*object, *rules, keyword);
  return Error(absl::StatusCode::kInternal, "EVENT_NOT_VALID",
               Concat(type, ": ", field, " is not what the schema says in `", keyword, "`"), field);
}

}  // namespace

bool PayloadHas(std::string_view type, std::string_view name) {
  const Schema* schema = Find(type);
  if (schema == nullptr) return false;
  const rapidjson::Value* payload = Pointer("/properties/payload/properties").Get(schema->source);
  return payload != nullptr && payload->IsObject() &&
         payload->HasMember(rapidjson::Value(
             rapidjson::StringRef(name.data(), static_cast<rapidjson::SizeType>(name.size()))));
}

absl::Status Validate(std::string_view type, std::string_view envelope) {
  const Schema* schema = Find(type);
  if (schema == nullptr)
    return Error(absl::StatusCode::kInternal, "EVENT_WITHOUT_SCHEMA",
                 Concat(type, " has no schema in protos/events"));
  const std::lock_guard lock(schema->mutex);
  rapidjson::SchemaValidator validator(*schema->compiled);
  rapidjson::MemoryStream stream(envelope.data(), envelope.size());
  rapidjson::Reader reader;
  const rapidjson::ParseResult result = reader.Parse(stream, validator);
  if (!validator.IsValid()) return NotValid(type, envelope, *schema, validator);
  if (result.IsError())
    return Error(
        absl::StatusCode::kInternal, "EVENT_NOT_VALID",
        Concat(type, ": ", rapidjson::GetParseError_En(result.Code()), " at byte ", result.Offset()));
  return absl::OkStatus();
}

}  // namespace bv::events
