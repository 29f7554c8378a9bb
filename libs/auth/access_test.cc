// Tokens that are good as such and that are refused all the same.
#include <gtest/gtest.h>

#include "libs/auth/auth_fixture_test.h"
#include "libs/base/clock.h"

namespace bv::auth {
namespace {

constexpr char kWithId[] = R"("jti":"token-1","iat":1700000000,"exp")";

std::string SignWithId(const std::string& role = "STAFF") {
  return SignClaims(absl::StrReplaceAll(kClaims, {{R"("exp")", kWithId}, {"STAFF", role}}));
}

Revocation OfUser(absl::Time issued_until, const std::string& token_id = "") {
  return {.tenant = TenantId::Trusted("demo"),
          .subject = "user-1",
          .token_id = token_id,
          .issued_until = issued_until,
          .forget_after = absl::InfiniteFuture()};
}

TEST(Claims, HaveTheTokensIdAndWhenItWasIssued) {
  const auto verifier = MakeVerifier();
  const auto claims = verifier->Verify(SignWithId(), kIssued);
  ASSERT_TRUE(claims.ok()) << claims.status();
  EXPECT_EQ(claims->token_id, "token-1");
  EXPECT_EQ(claims->issued_at, kIssued);
  const auto without = verifier->Verify(SignClaims(kClaims), kIssued);
  ASSERT_TRUE(without.ok());
  EXPECT_EQ(without->token_id, "");
  EXPECT_EQ(without->issued_at, absl::InfinitePast());
  for (const std::string& id :
       {std::string(R"("")"), std::string("7"), "\"" + std::string(129, 'x') + "\""}) {
    ExpectRefused(verifier->Verify(SignWith(R"("exp")", absl::StrCat(R"("jti":)", id, R"(,"exp")")), kIssued),
                  "TOKEN_INVALID", "jti");
  }
  EXPECT_TRUE(
      verifier
          ->Verify(SignWith(R"("exp")", absl::StrCat(R"("jti":")", std::string(128, 'x'), R"(","exp")")),
                   kIssued)
          .ok());
}

TEST(Access, ARevokedTokenIsRefusedThoughItIsRemembered) {
  const auto verifier = MakeVerifier();
  const std::string token = SignWithId();
  ASSERT_TRUE(verifier->Verify(token, kIssued).ok());
  ASSERT_TRUE(verifier->Verify(token, kIssued).ok());
  verifier->revocations().Add(OfUser(kIssued, "token-1"));
  ExpectRefused(verifier->Verify(token, kIssued), "TOKEN_REVOKED", "revoked");
  EXPECT_TRUE(verifier->Verify(SignClaims(kClaims), kIssued).ok()) << "another one of theirs";
}

TEST(Access, ARevokedTokenIsRefusedAtItsFirstUse) {
  const auto verifier = MakeVerifier();
  verifier->revocations().Add(OfUser(kIssued));
  ExpectRefused(verifier->Verify(SignWithId(), kIssued), "TOKEN_REVOKED");
  ExpectRefused(verifier->Verify(SignClaims(kClaims), kIssued), "TOKEN_REVOKED");
  const std::string newer =
      SignWith(R"("exp")", absl::StrCat(R"("iat":)", absl::ToUnixSeconds(kIssued) + 1, R"(,"exp")"));
  EXPECT_TRUE(verifier->Verify(newer, kIssued + absl::Seconds(1)).ok());
}

TEST(Access, WhoIsDeactivatedHasNoGoodToken) {
  const auto verifier = MakeVerifier();
  verifier->staff().Put(TenantId::Trusted("demo"), "user-1", {.is_active = false, .version = 1});
  ExpectRefused(verifier->Verify(SignWithId("STAFF"), kIssued), "TOKEN_REVOKED", "deactivated");
  ExpectRefused(verifier->Verify(SignWithId("ADMIN"), kIssued), "TOKEN_REVOKED", "deactivated");
  EXPECT_TRUE(verifier->Verify(SignWithId("CUSTOMER"), kIssued).ok()) << "they may still shop";
}

TEST(Access, UntilItIsKnownNoTokenIsTaken) {
  const auto verifier = MakeVerifier();
  verifier->SetAccessKnown(false);
  const absl::Status status = verifier->Verify(SignWithId(), kIssued).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ErrorReason(status), "ACCESS_PENDING");
  ExpectRefused(verifier->Verify("not-a-token", kIssued), "TOKEN_MALFORMED");
  verifier->SetAccessKnown(true);
  EXPECT_TRUE(verifier->Verify(SignWithId(), kIssued).ok());
}

TEST(Access, LookingUpManyRevocationsCostsLittle) {
  const auto verifier = MakeVerifier();
  for (int i = 0; i < 100'000; ++i)
    verifier->revocations().Add(OfUser(kIssued, absl::StrCat("01890a5d-ac96-774b-bcce-", i)), kIssued);
  const std::string token = SignWithId();
  ASSERT_TRUE(verifier->Verify(token, kIssued).ok());
  constexpr int kCalls = 200;
  absl::Duration best = absl::InfiniteDuration();
  for (int round = 0; round < 100; ++round) {
    const absl::Time begun = MonotonicNow();
    for (int i = 0; i < kCalls; ++i) ASSERT_TRUE(verifier->Verify(token, kIssued).ok());
    best = std::min(best, (MonotonicNow() - begun) / kCalls);
  }
  std::cout << "a remembered token takes " << best << " with 100,000 revocations" << std::endl;
  EXPECT_LE(best, absl::Microseconds(5));
}

}  // namespace
}  // namespace bv::auth
