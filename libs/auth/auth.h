// JSON Web Tokens (RFC 7519): who calls, in which tenant, in which role.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <memory>
#include <string>
#include <string_view>

#include "libs/base/request_context.h"
#include "libs/config/config.h"

namespace bv::auth {

struct Settings {
  // A JWK set (RFC 7517); every key names its `alg` (HS256, RS256, PS256, ES256) and its `kid`.
  std::string jwks_file;
  std::string issuer;
  std::string audience;
  absl::Duration clock_skew;

  void Bind(config::Binder& b);  // auth.jwks_file, auth.issuer, auth.audience, auth.clock_skew
};

struct Claims {
  std::string user_id;  // `sub`, 1 to 128 characters
  // Empty for an operator.
  TenantId tenant;
  Role role = Role::kNone;
  absl::Time expires_at;
};

// Thread safe. Tokens that passed are remembered until they expire (bounded), so that a session's calls cost
// one signature check.
class Verifier {
 public:
  static absl::StatusOr<std::unique_ptr<Verifier>> Create(const Settings& settings);
  ~Verifier();

  // UNAUTHENTICATED with reason TOKEN_MALFORMED, TOKEN_EXPIRED or TOKEN_INVALID (signature, key, algorithm,
  // issuer, audience, claims). The message never repeats the token.
  absl::StatusOr<Claims> Verify(std::string_view token, absl::Time now = absl::Now());

 private:
  struct Parts;
  explicit Verifier(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

// "CUSTOMER", "STAFF", "ADMIN", "SERVICE", "OPERATOR"; kNone for anything else.
Role ParseRole(std::string_view text);
std::string_view RoleName(Role role);

}  // namespace bv::auth
