#include "libs/auth/token.h"

#include <absl/strings/escaping.h>
#include <cjose/cjose.h>
#include <rapidjson/document.h>

#include <cmath>
#include <memory>
#include <utility>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"

namespace bv::auth {
namespace {

constexpr std::string_view kUnknownKey = "the token names no key (kid) that is known here";

struct ReleaseJws {
  void operator()(cjose_jws_t* jws) const { cjose_jws_release(jws); }
};
using Jws = std::unique_ptr<cjose_jws_t, ReleaseJws>;

// The iterative parser: the depth of a token must not become depth of the stack.
bool ParseObject(std::string_view text, rapidjson::Document& document) {
  document.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag>(text.data(),
                                                                                         text.size());
  return !document.HasParseError() && document.IsObject();
}

const rapidjson::Value* Find(const rapidjson::Value& object, const char* name) {
  const auto member = object.FindMember(name);
  return member == object.MemberEnd() ? nullptr : &member->value;
}

std::string_view Text(const rapidjson::Value* value) {
  if (!value || !value->IsString()) return {};
  return {value->GetString(), value->GetStringLength()};
}

// Three parts of base64url without padding.
bool IsCompactJws(std::string_view token) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
  if (token.find_first_not_of(kAlphabet) != std::string_view::npos) return false;
  const auto first = token.find('.');
  const auto last = token.rfind('.');
  return first != std::string_view::npos && first != 0 && last > first + 1 &&
         token.find('.', first + 1) == last;
}

struct Header {
  std::string algorithm;
  std::string key_id;
};

absl::StatusOr<Header> ParseHeader(std::string_view token) {
  const std::string_view encoded = token.substr(0, token.find('.'));
  std::string text;
  rapidjson::Document header;
  if (!absl::WebSafeBase64Unescape(Absl(encoded), &text) || !ParseObject(text, header)) {
    return Malformed("the token's header is not a JSON object in base64url");
  }
  // An extension that must be understood (RFC 7515 section 4.1.11); none is.
  if (header.HasMember("crit")) return Invalid("the token uses an extension that is not supported");
  return Header{.algorithm = std::string(Text(Find(header, "alg"))),
                .key_id = std::string(Text(Find(header, "kid")))};
}

// cjose reads the header by itself. Should its reading ever differ from ours (a member that stands twice),
// the algorithm it goes by must still be the key's.
bool HeaderSaysAlgorithm(cjose_jws_t* jws, const std::string& algorithm) {
  cjose_err error{};
  const char* said = cjose_header_get(cjose_jws_get_protected(jws), CJOSE_HDR_ALG, &error);
  return said && algorithm == said;
}

bool Contains(const rapidjson::Value* audience, std::string_view wanted) {
  if (!audience) return false;
  if (audience->IsString()) return Text(audience) == wanted;
  if (!audience->IsArray()) return false;
  for (const rapidjson::Value& entry : audience->GetArray()) {
    if (Text(&entry) == wanted) return true;
  }
  return false;
}

// A NumericDate (RFC 7519 section 2): seconds, perhaps with a fraction.
absl::StatusOr<absl::Time> ParseDate(const rapidjson::Value& claim, std::string_view name) {
  // Beyond the year 9999 it is no date but an attempt at an overflow.
  constexpr double kSecondsMax = 253'402'300'800;
  if (!claim.IsNumber() || std::abs(claim.GetDouble()) > kSecondsMax) {
    return Invalid(Concat("the token's ", name, " is not a date"));
  }
  return absl::UnixEpoch() + absl::Seconds(claim.GetDouble());
}

absl::Status CheckDates(const rapidjson::Value& json, absl::Duration skew, absl::Time now, Claims& claims) {
  const rapidjson::Value* exp = Find(json, "exp");
  if (!exp) return Invalid("the token has no exp");
  ASSIGN_OR_RETURN(claims.expires_at, ParseDate(*exp, "exp"));
  if (now >= claims.expires_at + skew) return Expired();
  absl::Time not_before;
  for (const auto& [name, date] : {std::pair("nbf", &not_before), std::pair("iat", &claims.issued_at)}) {
    const rapidjson::Value* claim = Find(json, name);
    if (!claim) continue;
    ASSIGN_OR_RETURN(*date, ParseDate(*claim, name));
    if (now < *date - skew) return Invalid(Concat("the token's ", name, " lies in the future"));
  }
  return absl::OkStatus();
}

absl::Status CheckTokenId(const rapidjson::Value& json, Claims& claims) {
  const rapidjson::Value* claim = Find(json, "jti");
  if (!claim) return absl::OkStatus();
  claims.token_id = Text(claim);
  if (!CheckText(claims.token_id, 1, 128, "jti").ok())
    return Invalid("the token's jti must be 1 to 128 characters");
  return absl::OkStatus();
}

}  // namespace

absl::Status Malformed(std::string_view message) {
  return Error(absl::StatusCode::kUnauthenticated, "TOKEN_MALFORMED", message);
}

absl::Status Expired() {
  return Error(absl::StatusCode::kUnauthenticated, "TOKEN_EXPIRED", "the token has expired; get a new one");
}

absl::Status Invalid(std::string_view message) {
  return Error(absl::StatusCode::kUnauthenticated, "TOKEN_INVALID", message);
}

absl::Status Revoked(std::string_view message) {
  return Error(absl::StatusCode::kUnauthenticated, "TOKEN_REVOKED", message);
}

absl::Status TooLong() {
  return Malformed("the token has more than 8192 bytes");
}

bool NamesUnknownKey(const absl::Status& status) {
  return Std(status.message()) == kUnknownKey;
}

absl::StatusOr<std::string> VerifySignature(std::string_view token, const KeysById& keys) {
  if (token.size() > kTokenBytesMax) return TooLong();
  if (!IsCompactJws(token)) return Malformed("the token is not a JWT: header.claims.signature in base64url");
  ASSIGN_OR_RETURN(const Header header, ParseHeader(token));
  const auto key = keys.find(header.key_id);
  if (key == keys.end()) return Invalid(kUnknownKey);
  // The algorithm is the key's, never the token's choice: else "none" passes, or an RSA public key as an HMAC
  // secret.
  if (header.algorithm != key->second.algorithm) return Invalid("the token's alg is not that of its key");

  cjose_err error{};
  const Jws jws(cjose_jws_import(token.data(), token.size(), &error));
  if (!jws) return Malformed("the token is not a JWT: header.claims.signature in base64url");
  if (!HeaderSaysAlgorithm(jws.get(), key->second.algorithm))
    return Invalid("the token's alg is not that of its key");
  if (!cjose_jws_verify(jws.get(), key->second.jwk.get(), &error))
    return Invalid("the token's signature is wrong");
  std::uint8_t* payload = nullptr;
  std::size_t payload_bytes = 0;
  if (!cjose_jws_get_plaintext(jws.get(), &payload, &payload_bytes, &error))
    return Malformed("the token has no claims");
  return std::string(reinterpret_cast<const char*>(payload), payload_bytes);
}

absl::StatusOr<Claims> CheckClaims(std::string_view payload, const Settings& settings, absl::Time now) {
  rapidjson::Document json;
  if (!ParseObject(payload, json)) return Malformed("the token's claims are not a JSON object");
  if (Text(Find(json, "iss")) != settings.issuer)
    return Invalid("the token's iss is not the expected issuer");
  if (!Contains(Find(json, "aud"), settings.audience))
    return Invalid("the token's aud does not name this audience");

  Claims claims;
  RETURN_IF_ERROR(CheckDates(json, settings.clock_skew, now, claims));
  RETURN_IF_ERROR(CheckTokenId(json, claims));
  claims.user_id = Text(Find(json, "sub"));
  if (!CheckText(claims.user_id, 1, 128, "sub").ok())
    return Invalid("the token's sub must be 1 to 128 characters");
  claims.role = ParseRole(Text(Find(json, "role")));
  if (claims.role == Role::kNone)
    return Invalid("the token's role must be CUSTOMER, STAFF, ADMIN, SERVICE or OPERATOR");
  if (claims.role == Role::kOperator) {
    if (Find(json, "tenant")) return Invalid("the token of an operator must name no tenant");
    return claims;
  }
  auto tenant = TenantId::Parse(Text(Find(json, "tenant")));
  if (!tenant.ok()) return Invalid("the token's tenant is not a tenant id");
  claims.tenant = *std::move(tenant);
  return claims;
}

}  // namespace bv::auth
