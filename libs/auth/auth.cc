#include "libs/auth/auth.h"

#include <absl/strings/str_cat.h>

#include <utility>

#include "libs/auth/claims_cache.h"
#include "libs/auth/key_source.h"
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
  b.Text("auth.jwks_file", jwks_file, config::Presence::kOptional);
  b.Text("auth.jwks_url", jwks_url, config::Presence::kOptional);
  b.Duration("auth.jwks_refresh", jwks_refresh, {absl::Seconds(1), absl::Hours(24)});
  b.Flag("auth.development", development);
  b.Text("auth.issuer", issuer);
  b.Text("auth.audience", audience);
  b.Duration("auth.clock_skew", clock_skew, {.min = absl::ZeroDuration(), .max = absl::Minutes(5)});
}

struct Verifier::Parts {
  Settings settings;
  std::unique_ptr<KeySource> keys;
  ClaimsCache cache{kRememberedTokensMax};
  prometheus::Counter& remembered = Checked("remembered");
  prometheus::Counter& accepted = Checked("accepted");
  prometheus::Counter& refused = Checked("refused");
  prometheus::Counter& expired = Checked("expired");
};

absl::StatusOr<std::unique_ptr<Verifier>> Verifier::Create(const Settings& settings) {
  ASSIGN_OR_RETURN(std::unique_ptr<KeySource> keys, KeySource::Create(settings));
  std::unique_ptr<Parts> parts(new Parts{.settings = settings, .keys = std::move(keys)});
  return std::unique_ptr<Verifier>(new Verifier(std::move(parts)));
}

Verifier::Verifier(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Verifier::~Verifier() = default;

absl::StatusOr<Claims> Verifier::Verify(std::string_view token, absl::Time now) {
  const auto check = [&]() -> absl::StatusOr<Claims> {
    // Before it is hashed: what is refused for its length must cost nothing.
    if (token.size() > kTokenBytesMax) return TooLong();
    std::shared_ptr<const KeySet> set = parts_->keys->Current();
    const ClaimsCache::Key key = ClaimsCache::KeyOf(token);
    if (auto claims = parts_->cache.Find(key, set->generation)) {
      if (now < claims->expires_at + parts_->settings.clock_skew) {
        parts_->remembered.Increment();
        return *std::move(claims);
      }
      parts_->cache.Erase(key);
      return Expired();
    }
    absl::StatusOr<std::string> payload = VerifySignature(token, set->keys);
    if (NamesUnknownKey(payload.status()) && parts_->keys->MayBeNewer(set->generation)) {
      set = parts_->keys->Current();
      payload = VerifySignature(token, set->keys);
      if (NamesUnknownKey(payload.status()))
        return Unavailable("KEYS_PENDING", "the token's key is not known yet; try again");
    }
    RETURN_IF_ERROR(payload.status());
    ASSIGN_OR_RETURN(Claims claims, CheckClaims(*payload, parts_->settings, now));
    parts_->cache.Put(key, claims, set->generation);
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
