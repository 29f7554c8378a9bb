// Nobody makes a token who has no key: whatever passes was signed by the issuer. Claims that pass have a
// user, a role and a tenant in their bounds.
//
// Input: a byte, then a token, or, as the byte says, the claims of a token whose signature was right.
#include <array>

#include "libs/auth/golden_tokens.h"
#include "libs/auth/token.h"
#include "tests/fuzz/fuzz.h"

namespace bv::fuzz {
namespace {

const absl::Time kIssued = absl::FromUnixSeconds(1'700'000'000);

const auth::Settings& Settings() {
  static const auth::Settings settings = {
      .issuer = "https://issuer.example", .audience = "bivouac", .clock_skew = absl::Seconds(30)};
  return settings;
}

// What the signature stands for: all before the last dot.
std::string_view Signed(std::string_view token) {
  return token.substr(0, token.rfind('.'));
}

void RequireUnauthenticated(const absl::Status& status) {
  Require(status.code() == absl::StatusCode::kUnauthenticated, "what is no token is UNAUTHENTICATED");
  Require(!ErrorReason(status).empty(), "a refusal has a reason");
}

void CheckToken(std::string_view token) {
  static const auth::KeysById keys = *auth::ParseJwkSet(auth::golden::kJwkSet, {.symmetric = true});
  constexpr std::array<std::string_view, 4> kIssuedTokens = {
      auth::golden::kHs256Token, auth::golden::kRs256Token, auth::golden::kPs256Token,
      auth::golden::kEs256Token};
  const absl::StatusOr<std::string> payload = auth::VerifySignature(token, keys);
  if (!payload.ok()) return RequireUnauthenticated(payload.status());
  Require(std::ranges::any_of(kIssuedTokens, [&](auto issued) { return Signed(issued) == Signed(token); }),
          "what passes was issued");
}

void CheckClaims(std::string_view payload) {
  const absl::StatusOr<auth::Claims> claims = auth::CheckClaims(payload, Settings(), kIssued);
  if (!claims.ok()) return RequireUnauthenticated(claims.status());
  Require(!claims->user_id.empty() && claims->user_id.size() <= 4 * 128, "a user has an id");
  Require(claims->role != Role::kNone, "a user has a role");
  Require(claims->tenant.empty() == (claims->role == Role::kOperator), "all but operators have a tenant");
  Require(claims->expires_at + Settings().clock_skew > kIssued, "what passes has not expired");
}

}  // namespace

void Run(std::string_view input) {
  if (Choose(input, 2) == 0) return CheckToken(input);
  CheckClaims(input);
}

}  // namespace bv::fuzz
