#include "libs/auth/jwk_set.h"

#include <absl/strings/str_cat.h>
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "libs/base/macros.h"

namespace bv::auth {
namespace {

struct Algorithm {
  const char* name;
  const char* kty;
  // Of the key; RFC 7518 sections 3.2 to 3.5.
  std::size_t bits_min;
};

constexpr Algorithm kAlgorithms[] = {
    {"HS256", "oct", 256}, {"RS256", "RSA", 2048}, {"PS256", "RSA", 2048}, {"ES256", "EC", 256}};

const Algorithm* FindAlgorithm(const std::string& name) {
  for (const Algorithm& algorithm : kAlgorithms) {
    if (name == algorithm.name) return &algorithm;
  }
  return nullptr;
}

// Empty when it is absent or no string.
std::string Text(const rapidjson::Value& object, const char* name) {
  const auto member = object.FindMember(name);
  if (member == object.MemberEnd() || !member->value.IsString()) return {};
  return {member->value.GetString(), member->value.GetStringLength()};
}

absl::Status Invalid(std::string message) {
  return absl::InvalidArgumentError(message);
}

absl::StatusOr<Key> ParseKey(const rapidjson::Value& json) {
  const std::string name = Text(json, "alg");
  const Algorithm* algorithm = FindAlgorithm(name);
  if (!algorithm) return Invalid(absl::StrCat("alg must be HS256, RS256, PS256 or ES256, is \"", name, "\""));
  if (Text(json, "kty") != algorithm->kty)
    return Invalid(absl::StrCat("kty must be ", algorithm->kty, " for ", name));
  if (json.HasMember("use") && Text(json, "use") != "sig") return Invalid("use must be sig");
  if (name == "ES256" && Text(json, "crv") != "P-256") return Invalid("crv must be P-256 for ES256");

  rapidjson::StringBuffer text;
  rapidjson::Writer<rapidjson::StringBuffer> writer(text);
  json.Accept(writer);
  cjose_err error{};
  Key key{.algorithm = name};
  key.jwk.reset(cjose_jwk_import(text.GetString(), text.GetSize(), &error));
  if (!key.jwk) return Invalid(absl::StrCat("not a valid ", algorithm->kty, " key"));
  if (const std::size_t bits = cjose_jwk_get_keysize(key.jwk.get(), &error); bits < algorithm->bits_min) {
    return Invalid(absl::StrCat("has ", bits, " bits, ", name, " needs at least ", algorithm->bits_min));
  }
  return key;
}

}  // namespace

absl::StatusOr<KeysById> ParseJwkSet(std::string_view json) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag>(json.data(),
                                                                                         json.size());
  if (document.HasParseError()) return Invalid(absl::StrCat("not JSON, at byte ", document.GetErrorOffset()));
  const bool has_keys = document.IsObject() && document.HasMember("keys") && document["keys"].IsArray();
  if (!has_keys || document["keys"].Empty())
    return Invalid("must be an object with a list \"keys\" that is not empty");

  KeysById keys;
  int position = 0;
  for (const rapidjson::Value& entry : document["keys"].GetArray()) {
    const std::string place = absl::StrCat("keys[", position++, "]");
    const std::string kid = entry.IsObject() ? Text(entry, "kid") : "";
    if (kid.empty()) return Invalid(absl::StrCat(place, ": kid is missing"));
    if (keys.contains(kid)) return Invalid(absl::StrCat(place, ": kid \"", kid, "\" stands twice"));
    auto key = ParseKey(entry);
    if (!key.ok()) {
      return Invalid(absl::StrCat(place, " (kid \"", kid, "\"): ", key.status().message()));
    }
    keys.emplace(kid, *std::move(key));
  }
  return keys;
}

}  // namespace bv::auth
