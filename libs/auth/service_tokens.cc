#include "libs/auth/service_tokens.h"

#include <absl/strings/str_cat.h>
#include <cjose/cjose.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "libs/base/error.h"
#include "libs/base/id.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"

namespace bv::auth {
namespace {

constexpr absl::Duration kLifetime = absl::Minutes(10);
constexpr absl::Duration kRenewBefore = absl::Minutes(5);
// Tenants whose token is kept; above it all are made anew.
constexpr std::size_t kTokensMax = 10'000;

std::string Payload(const std::string& issuer, const std::string& audience, const std::string& service,
                    const TenantId& tenant, absl::Time now) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer writer(buffer);
  const auto text = [&writer](const char* name, std::string_view value) {
    writer.Key(name);
    writer.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
  };
  writer.StartObject();
  text("iss", issuer);
  text("aud", audience);
  text("sub", service);
  text("tenant", tenant.str());
  text("role", RoleName(Role::kService));
  text("jti", UuidToString(NewUuid()));
  writer.Key("iat");
  writer.Int64(absl::ToUnixSeconds(now));
  writer.Key("exp");
  writer.Int64(absl::ToUnixSeconds(now + kLifetime));
  writer.EndObject();
  return buffer.GetString();
}

struct ReleaseJws {
  void operator()(cjose_jws_t* jws) const { cjose_jws_release(jws); }
};
struct ReleaseHeader {
  void operator()(cjose_header_t* header) const { cjose_header_release(header); }
};

// The compact JWS of `payload`; INTERNAL when the key cannot sign.
absl::StatusOr<std::string> Sign(const Key& key, const std::string& key_id, const std::string& payload) {
  cjose_err error{};
  const std::unique_ptr<cjose_header_t, ReleaseHeader> header(cjose_header_new(&error));
  if (header == nullptr || !cjose_header_set(header.get(), CJOSE_HDR_ALG, key.algorithm.c_str(), &error) ||
      !cjose_header_set(header.get(), CJOSE_HDR_KID, key_id.c_str(), &error)) {
    return absl::InternalError(absl::StrCat("cannot make a token: ", error.message));
  }
  const std::unique_ptr<cjose_jws_t, ReleaseJws> jws(
      cjose_jws_sign(key.jwk.get(), header.get(), reinterpret_cast<const std::uint8_t*>(payload.data()),
                     payload.size(), &error));
  const char* compact = nullptr;  // owned by jws
  if (jws == nullptr || !cjose_jws_export(jws.get(), &compact, &error))
    return absl::InternalError(absl::StrCat("cannot sign a token: ", error.message));
  return std::string(compact);
}

}  // namespace

void ServiceTokenSettings::Bind(config::Binder& b) {
  b.Text("auth.signing_key_file", signing_key_file);
}

ServiceTokens::ServiceTokens(std::string service, std::string key_id, Key key, std::string issuer,
                             std::string audience)
    : service_(std::move(service)),
      key_id_(std::move(key_id)),
      key_(std::move(key)),
      issuer_(std::move(issuer)),
      audience_(std::move(audience)) {}

ServiceTokens::~ServiceTokens() = default;

absl::StatusOr<std::unique_ptr<ServiceTokens>> ServiceTokens::Create(std::string service,
                                                                     const ServiceTokenSettings& settings,
                                                                     const Settings& verified_by) {
  ASSIGN_OR_RETURN(const std::string text, config::ReadFile(settings.signing_key_file));
  ASSIGN_OR_RETURN(KeysById keys, ParseJwkSet(text, {.symmetric = verified_by.development}));
  if (keys.size() != 1) return InvalidValue("auth.signing_key_file", "must hold one key");
  auto& [key_id, key] = *keys.begin();
  // Whether the key is a private one shows when it signs.
  if (absl::Status signs = Sign(key, key_id, "{}").status(); !signs.ok())
    return InvalidValue("auth.signing_key_file", "must hold a private key");
  return std::unique_ptr<ServiceTokens>(new ServiceTokens(std::move(service), key_id, std::move(key),
                                                          verified_by.issuer, verified_by.audience));
}

RequestContext ServiceTokens::ContextFor(const TenantId& tenant, absl::Time deadline,
                                         const RequestContext& parent) {
  RequestContext context;
  context.tenant = tenant;
  context.user_id = service_;
  context.role = Role::kService;
  context.trace = parent.trace;
  context.correlation_id = parent.correlation_id;
  context.deadline = deadline;
  context.bearer_token = TokenFor(tenant, absl::Now());
  return context;
}

std::string ServiceTokens::TokenFor(const TenantId& tenant, absl::Time now) {
  const absl::MutexLock lock(&mutex_);
  if (tokens_.size() > kTokensMax) tokens_.clear();
  Token& token = tokens_[tenant.str()];
  if (now >= token.renew_at) {
    absl::StatusOr<std::string> made =
        Sign(key_, key_id_, Payload(issuer_, audience_, service_, tenant, now));
    // It signed when the service started; should it ever fail, the callee says that the token is missing.
    token.text = made.ok() ? *std::move(made) : std::string();
    token.renew_at = now + kLifetime - kRenewBefore;
  }
  return token.text;
}

}  // namespace bv::auth
