// The JSON Schemas of the events, protos/events/*.schema.json, as they were when this was built: what a
// consumer may rely on, so a writer checks its events against them before it stores them.
#pragma once

#include <absl/status/status.h>

#include <span>
#include <string_view>

namespace bv::events {

struct SchemaText {
  // "ecommerce.order.order.created.v1"
  std::string_view type;
  std::string_view json;
};

// All of them, sorted by type.
std::span<const SchemaText> SchemaTexts();

// Whether the payload of this type may have a member of this name in JSON. Thread safe.
bool PayloadHas(std::string_view type, std::string_view name);

// Whether the text of an envelope is what the schema of this type of event says. INTERNAL if not, since then
// the writer is wrong: reason EVENT_NOT_VALID with the field as a JSON pointer ("/payload/items/0/qty"), or
// EVENT_WITHOUT_SCHEMA. Takes some 2 µs. Thread safe.
absl::Status Validate(std::string_view type, std::string_view envelope);

}  // namespace bv::events
