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

// Of RFC 7518 section 6: the members of keys of all kinds that hold numbers and secrets.
constexpr const char* kEncodedMembers[] = {"k", "n", "e", "x", "y", "d", "p", "q", "dp", "dq", "qi"};

bool IsBase64Url(std::string_view text) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return !text.empty() && text.find_first_not_of(kAlphabet) == std::string_view::npos;
}

// The key for cjose, with nothing in it that was not checked: cjose ends the process when it decodes some of
// what is no base64url, and of a member that stands twice it takes the other one.
absl::StatusOr<std::string> CheckedKey(const rapidjson::Value& json) {
  rapidjson::StringBuffer text;
  rapidjson::Writer<rapidjson::StringBuffer> writer(text);
  writer.StartObject();
  for (const char* name : {"kty", "crv"}) {
    if (!json.HasMember(name)) continue;
    writer.Key(name);
    writer.String(Text(json, name).c_str());
  }
  for (const char* name : kEncodedMembers) {
    if (!json.HasMember(name)) continue;
    const std::string encoded = Text(json, name);
    if (!IsBase64Url(encoded)) return Invalid(absl::StrCat(name, " must be base64url without padding"));
    writer.Key(name);
    writer.String(encoded.c_str());
  }
  writer.EndObject();
  return std::string(text.GetString(), text.GetSize());
}

absl::StatusOr<Key> ParseKey(const rapidjson::Value& json, const JwkSetRules& rules) {
  const std::string name = Text(json, "alg");
  const Algorithm* algorithm = FindAlgorithm(name);
  if (!algorithm) return Invalid(absl::StrCat("alg must be HS256, RS256, PS256 or ES256, is \"", name, "\""));
  if (name == "HS256" && !rules.symmetric)
    return Invalid("HS256 is for development only: set auth.development, or use RS256, PS256 or ES256");
  if (Text(json, "kty") != algorithm->kty)
    return Invalid(absl::StrCat("kty must be ", algorithm->kty, " for ", name));
  if (json.HasMember("use") && Text(json, "use") != "sig") return Invalid("use must be sig");
  if (name == "ES256" && Text(json, "crv") != "P-256") return Invalid("crv must be P-256 for ES256");

  ASSIGN_OR_RETURN(const std::string text, CheckedKey(json));
  cjose_err error{};
  Key key{.algorithm = name};
  key.jwk.reset(cjose_jwk_import(text.data(), text.size(), &error));
  if (!key.jwk) return Invalid(absl::StrCat("not a valid ", algorithm->kty, " key"));
  if (const std::size_t bits = cjose_jwk_get_keysize(key.jwk.get(), &error); bits < algorithm->bits_min) {
    return Invalid(absl::StrCat("has ", bits, " bits, ", name, " needs at least ", algorithm->bits_min));
  }
  return key;
}

}  // namespace

absl::StatusOr<KeysById> ParseJwkSet(std::string_view json, const JwkSetRules& rules) {
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
    if (kid.empty() && rules.passes_over) continue;
    if (kid.empty()) return Invalid(absl::StrCat(place, ": kid is missing"));
    if (keys.contains(kid)) return Invalid(absl::StrCat(place, ": kid \"", kid, "\" stands twice"));
    auto key = ParseKey(entry, rules);
    if (!key.ok() && rules.passes_over) continue;
    if (!key.ok()) {
      return Invalid(absl::StrCat(place, " (kid \"", kid, "\"): ", key.status().message()));
    }
    keys.emplace(kid, *std::move(key));
  }
  if (keys.empty()) return Invalid("holds no key for RS256, PS256 or ES256 that has kid and alg");
  return keys;
}

}  // namespace bv::auth
