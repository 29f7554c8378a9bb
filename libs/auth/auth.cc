#include "libs/auth/auth.h"

#include <absl/strings/str_cat.h>

#include <utility>

#include "libs/auth/claims_cache.h"
#include "libs/auth/jwk_set.h"
#include "libs/auth/token.h"
#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/telemetry/telemetry.h"

namespace bv::auth {
namespace {

constexpr std::size_t kRememberedTokensMax = 10'000;

constexpr std::pair<Role, std::string_view> kRoleNames[] = {{Role::kCustomer, "CUSTOMER"},
                                                            {Role::kStaff, "STAFF"},
                                                            {Role::kAdmin, "ADMIN"},
                                                            {Role::kService, "SERVICE"},
                                                            {Role::kOperator, "OPERATOR"}};

prometheus::Counter& Checked(const char* result) {
  return telemetry::Counter("bv_auth_tokens_total", "Tokens checked, by result", {{"result", result}});
}

}  // namespace

void Settings::Bind(config::Binder& b) {
  b.Text("auth.jwks_file", jwks_file);
  b.Text("auth.issuer", issuer);
  b.Text("auth.audience", audience);
  b.Duration("auth.clock_skew", clock_skew, {.min = absl::ZeroDuration(), .max = absl::Minutes(5)});
}

struct Verifier::Parts {
  Settings settings;
  KeysById keys;
  ClaimsCache cache{kRememberedTokensMax};
  prometheus::Counter& remembered = Checked("remembered");
  prometheus::Counter& accepted = Checked("accepted");
  prometheus::Counter& refused = Checked("refused");
  prometheus::Counter& expired = Checked("expired");
};

absl::StatusOr<std::unique_ptr<Verifier>> Verifier::Create(const Settings& settings) {
  const auto json = config::ReadFile(settings.jwks_file);
  if (!json.ok()) {
    return InvalidValue("auth.jwks_file", absl::StrCat("auth.jwks_file: ", json.status().message()));
  }
  auto keys = ParseJwkSet(*json);
  if (!keys.ok()) {
    return InvalidValue("auth.jwks_file",
                        absl::StrCat("auth.jwks_file: ", settings.jwks_file, ": ", keys.status().message()));
  }
  std::unique_ptr<Parts> parts(new Parts{.settings = settings, .keys = *std::move(keys)});
  return std::unique_ptr<Verifier>(new Verifier(std::move(parts)));
}

Verifier::Verifier(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Verifier::~Verifier() = default;

absl::StatusOr<Claims> Verifier::Verify(std::string_view token, absl::Time now) {
  const auto check = [&]() -> absl::StatusOr<Claims> {
    // Before it is hashed: what is refused for its length must cost nothing.
    if (token.size() > kTokenBytesMax) return VerifySignature(token, parts_->keys).status();
    const ClaimsCache::Key key = ClaimsCache::KeyOf(token);
    if (auto claims = parts_->cache.Find(key)) {
      if (now < claims->expires_at + parts_->settings.clock_skew) {
        parts_->remembered.Increment();
        return *std::move(claims);
      }
      parts_->cache.Erase(key);
      return Expired();
    }
    ASSIGN_OR_RETURN(const std::string payload, VerifySignature(token, parts_->keys));
    ASSIGN_OR_RETURN(Claims claims, CheckClaims(payload, parts_->settings, now));
    parts_->cache.Put(key, claims);
    parts_->accepted.Increment();
    return claims;
  };
  auto claims = check();
  if (!claims.ok())
    (ErrorReason(claims.status()) == "TOKEN_EXPIRED" ? parts_->expired : parts_->refused).Increment();
  return claims;
}

Role ParseRole(std::string_view text) {
  for (const auto& [role, name] : kRoleNames) {
    if (name == text) return role;
  }
  return Role::kNone;
}

std::string_view RoleName(Role role) {
  for (const auto& [named, name] : kRoleNames) {
    if (named == role) return name;
  }
  return "NONE";
}

}  // namespace bv::auth
