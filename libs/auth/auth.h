// JSON Web Tokens (RFC 7519): who calls, in which tenant, in which role.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <memory>
#include <string>
#include <string_view>

#include "libs/auth/revocation_list.h"
#include "libs/auth/staff_directory.h"
#include "libs/base/request_context.h"
#include "libs/config/config.h"

namespace bv::auth {

struct Settings {
  // Where the JWK set (RFC 7517) is, one of the two, the other empty; every key names its `alg` (RS256,
  // PS256, ES256, in development also HS256) and its `kid`. A file that changes is read again.
  std::string jwks_file;
  // http or https. Whoever can change what it says can make tokens: outside of a machine it is https.
  std::string jwks_url;
  // Between two looks at jwks_url; after a token with an unknown key it is asked at once.
  absl::Duration jwks_refresh = absl::Minutes(5);
  // Takes keys that sign and check alike (HS256).
  bool development = false;
  std::string issuer;
  std::string audience;
  absl::Duration clock_skew;

  // auth.jwks_file, auth.jwks_url, auth.jwks_refresh, auth.development, auth.issuer, auth.audience,
  // auth.clock_skew
  void Bind(config::Binder& b);
};

struct Claims {
  std::string user_id;  // `sub`, 1 to 128 characters
  // Empty for an operator.
  TenantId tenant;
  Role role = Role::kNone;
  absl::Time expires_at;
  // `jti`, 1 to 128 characters; empty when it has none.
  std::string token_id;
  // `iat`; a token without one is older than all others.
  absl::Time issued_at = absl::InfinitePast();
};

// Thread safe. Tokens that passed are remembered until they expire or the keys change (bounded), so that a
// session's calls cost one signature check. Whether a token was revoked is looked up each time.
class Verifier {
 public:
  // INVALID_ARGUMENT names the setting that cannot be; UNAVAILABLE when the keys cannot be had.
  static absl::StatusOr<std::unique_ptr<Verifier>> Create(const Settings& settings);
  ~Verifier();

  // UNAUTHENTICATED with reason TOKEN_MALFORMED, TOKEN_EXPIRED or TOKEN_INVALID (signature, key, algorithm,
  // issuer, audience, claims). UNAVAILABLE, reason KEYS_PENDING: the token's key is not known yet, and
  // auth.jwks_url is being asked; ACCESS_PENDING: see SetAccessKnown. The message never repeats the token.
  absl::StatusOr<Claims> Verify(std::string_view token, absl::Time now = absl::Now());

  // To be filled by the owner. A token that the one names, and the token in the role STAFF or ADMIN of
  // somebody whom the other calls deactivated, is UNAUTHENTICATED with reason TOKEN_REVOKED.
  RevocationList& revocations();
  StaffDirectory& staff();
  // While the owner does not know yet what belongs into them, every token is UNAVAILABLE. At first they are
  // known, and empty.
  void SetAccessKnown(bool known);

 private:
  struct Parts;
  explicit Verifier(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

// "CUSTOMER", "STAFF", "ADMIN", "SERVICE", "OPERATOR"; kNone for anything else.
Role ParseRole(std::string_view text);
std::string_view RoleName(Role role);

}  // namespace bv::auth
