// Flat JSON objects of requests.
#pragma once

#include <absl/status/statusor.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace bv::simulator {

// Each member as text: a string decoded, a number or a bool as written, an array as its texts joined by
// commas.
using JsonObject = std::map<std::string, std::string, std::less<>>;

// INVALID_ARGUMENT, reason MALFORMED_JSON, for anything but an object of such members.
absl::StatusOr<JsonObject> ReadObject(std::string_view text);
// Empty when there is none.
std::string_view TextOf(const JsonObject& object, std::string_view name);

}  // namespace bv::simulator
