#include "libs/auth/auth.h"

#include <absl/strings/str_cat.h>

#include <atomic>
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
  // Whether the token of these claims, which is good as such, is still to be taken.
  absl::Status CheckAccess(const Claims& claims) const;

  Settings settings;
  std::unique_ptr<KeySource> keys;
  ClaimsCache cache{kRememberedTokensMax};
  RevocationList revocations{};
  StaffDirectory staff{};
  std::atomic<bool> access_known{true};
  prometheus::Counter& remembered = Checked("remembered");
  prometheus::Counter& accepted = Checked("accepted");
  prometheus::Counter& refused = Checked("refused");
  prometheus::Counter& expired = Checked("expired");
  prometheus::Counter& revoked = Checked("revoked");
};

absl::StatusOr<std::unique_ptr<Verifier>> Verifier::Create(const Settings& settings) {
  ASSIGN_OR_RETURN(std::unique_ptr<KeySource> keys, KeySource::Create(settings));
  std::unique_ptr<Parts> parts(new Parts{.settings = settings, .keys = std::move(keys)});
  return std::unique_ptr<Verifier>(new Verifier(std::move(parts)));
}

Verifier::Verifier(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Verifier::~Verifier() = default;

absl::StatusOr<Claims> Verifier::Verify(std::string_view token, absl::Time now) {
  prometheus::Counter* passed = &parts_->accepted;
  const auto check = [&]() -> absl::StatusOr<Claims> {
    // Before it is hashed: what is refused for its length must cost nothing.
    if (token.size() > kTokenBytesMax) return TooLong();
    std::shared_ptr<const KeySet> set = parts_->keys->Current();
    const ClaimsCache::Key key = ClaimsCache::KeyOf(token);
    if (auto claims = parts_->cache.Find(key, set->generation)) {
      if (now < claims->expires_at + parts_->settings.clock_skew) {
        passed = &parts_->remembered;
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
    return claims;
  };
  auto claims = check();
  if (claims.ok()) {
    if (absl::Status access = parts_->CheckAccess(*claims); !access.ok()) claims = std::move(access);
  }
  if (!claims.ok()) {
    const std::string reason = ErrorReason(claims.status());
    passed = reason == "TOKEN_EXPIRED"   ? &parts_->expired
             : reason == "TOKEN_REVOKED" ? &parts_->revoked
                                         : &parts_->refused;
  }
  passed->Increment();
  return claims;
}

absl::Status Verifier::Parts::CheckAccess(const Claims& claims) const {
  if (!access_known) {
    return Unavailable("ACCESS_PENDING", "which tokens were revoked is not known yet; try again");
  }
  if (revocations.Revokes(claims)) return Revoked("the token was revoked; log in again");
  const bool is_of_back_office = claims.role == Role::kStaff || claims.role == Role::kAdmin;
  if (is_of_back_office && staff.IsDeactivated(claims.tenant, claims.user_id))
    return Revoked("the account that the token is of was deactivated");
  return absl::OkStatus();
}

RevocationList& Verifier::revocations() {
  return parts_->revocations;
}

StaffDirectory& Verifier::staff() {
  return parts_->staff;
}

void Verifier::SetAccessKnown(bool known) {
  parts_->access_known = known;
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
