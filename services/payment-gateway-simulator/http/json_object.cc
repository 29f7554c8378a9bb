#include "services/payment-gateway-simulator/http/json_object.h"

#include <rapidjson/document.h>

#include "libs/base/error.h"
#include "libs/base/macros.h"

namespace bv::simulator {
namespace {

// Loops instead of recursing, numbers as they are written.
constexpr unsigned kParseFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag |
                                 rapidjson::kParseValidateEncodingFlag;

absl::Status Malformed() {
  return Error(absl::StatusCode::kInvalidArgument, "MALFORMED_JSON",
               "the body must be a JSON object of texts, numbers and lists of them");
}

absl::StatusOr<std::string> ScalarOf(const rapidjson::Value& value) {
  if (value.IsString()) return std::string(value.GetString(), value.GetStringLength());
  if (value.IsBool()) return std::string(value.GetBool() ? "true" : "false");
  return Malformed();
}

}  // namespace

absl::StatusOr<JsonObject> ReadObject(std::string_view text) {
  rapidjson::Document document;
  document.Parse<kParseFlags>(text.data(), text.size());
  if (document.HasParseError() || !document.IsObject()) return Malformed();
  JsonObject object;
  for (const auto& member : document.GetObject()) {
    std::string& target = object[std::string(member.name.GetString(), member.name.GetStringLength())];
    if (!member.value.IsArray()) {
      ASSIGN_OR_RETURN(target, ScalarOf(member.value));
      continue;
    }
    for (const auto& element : member.value.GetArray()) {
      ASSIGN_OR_RETURN(const std::string scalar, ScalarOf(element));
      target += (target.empty() ? "" : ",") + scalar;
    }
  }
  return object;
}

std::string_view TextOf(const JsonObject& object, std::string_view name) {
  const auto found = object.find(name);
  return found == object.end() ? std::string_view() : std::string_view(found->second);
}

}  // namespace bv::simulator
