#include "libs/auth/auth.h"

#include <thread>
#include <vector>

#include "libs/auth/auth_fixture_test.h"

namespace bv::auth {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class GoldenToken : public testing::TestWithParam<const char*> {};

TEST_P(GoldenToken, IsAccepted) {
  const auto claims = MakeVerifier()->Verify(GetParam(), kIssued);
  ASSERT_TRUE(claims.ok()) << claims.status();
  EXPECT_EQ(claims->user_id, "user-1");
  EXPECT_EQ(claims->tenant.str(), "demo");
  EXPECT_EQ(claims->role, Role::kCustomer);
  EXPECT_EQ(claims->expires_at, kExpires);
}

// Every bit of the signature counts, those of its last character that carry no data aside.
TEST_P(GoldenToken, IsRefusedWithAnyCharacterChanged) {
  const std::string token = GetParam();
  const auto verifier = MakeVerifier();
  for (std::size_t i = 0; i + 1 < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'Q' : 'A';
    EXPECT_FALSE(verifier->Verify(changed, kIssued).ok()) << "at " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Algorithms, GoldenToken,
                         testing::Values(golden::kHs256Token, golden::kRs256Token, golden::kPs256Token,
                                         golden::kEs256Token));

TEST(Verifier, AcceptsWhatItsOwnTestsSign) {
  const auto claims = MakeVerifier()->Verify(SignClaims(kClaims), kIssued);
  ASSERT_TRUE(claims.ok()) << claims.status();
  EXPECT_EQ(claims->role, Role::kStaff);
}

TEST(Verifier, RefusesAForgedSignature) {
  const std::string forged = Sign(R"({"alg":"HS256","kid":"hs"})", kClaims, std::string(32, 'x'));
  ExpectRefused(MakeVerifier()->Verify(forged, kIssued), "TOKEN_INVALID", "signature");
}

TEST(Verifier, RefusesAnotherTokensSignature) {
  const std::string token = golden::kHs256Token;
  const std::string other = SignClaims(kClaims);
  const std::string mixed = token.substr(0, token.rfind('.')) + other.substr(other.rfind('.'));
  ExpectRefused(MakeVerifier()->Verify(mixed, kIssued), "TOKEN_INVALID", "signature");
}

TEST(Verifier, RefusesAnAlgorithmThatIsNotTheKeys) {
  const auto verifier = MakeVerifier();
  const std::string claims = Base64Url(kClaims);
  for (const char* header : {R"({"alg":"none","kid":"hs"})", R"({"alg":"None","kid":"hs"})",
                             R"({"kid":"hs"})", R"({"alg":"HS512","kid":"hs"})",
                             R"({"alg":"RS256","kid":"ps"})", R"({"alg":["HS256"],"kid":"hs"})"}) {
    for (const char* signature : {"", "AAAA"}) {
      ExpectRefused(verifier->Verify(absl::StrCat(Base64Url(header), ".", claims, ".", signature), kIssued),
                    "TOKEN_INVALID", "alg");
    }
  }
}

TEST(Verifier, RefusesAPublicKeyUsedAsAnHmacSecret) {
  const auto verifier = MakeVerifier();
  for (const char* kid : {"rs", "ps", "es"}) {
    const std::string header = absl::StrCat(R"({"alg":"HS256","kid":")", kid, "\"}");
    ExpectRefused(verifier->Verify(Sign(header, kClaims, golden::kRsaPublicPem), kIssued), "TOKEN_INVALID",
                  "alg");
  }
}

TEST(Verifier, RefusesTwoAlgorithmsInOneHeader) {
  const auto verifier = MakeVerifier();
  for (const char* header :
       {R"({"alg":"HS256","alg":"none","kid":"hs"})", R"({"alg":"none","alg":"HS256","kid":"hs"})",
        R"({"alg":"RS256","alg":"HS256","kid":"rs"})", R"({"alg":"HS256","alg":"RS256","kid":"rs"})"}) {
    EXPECT_FALSE(verifier->Verify(Sign(header, kClaims, golden::kRsaPublicPem), kIssued).ok()) << header;
  }
}

TEST(Verifier, RefusesAMissingOrUnknownKey) {
  const auto verifier = MakeVerifier();
  for (const char* header : {R"({"alg":"HS256"})", R"({"alg":"HS256","kid":""})",
                             R"({"alg":"HS256","kid":"other"})", R"({"alg":"HS256","kid":7})"}) {
    ExpectRefused(verifier->Verify(Sign(header, kClaims), kIssued), "TOKEN_INVALID", "kid");
  }
}

TEST(Verifier, AKeysNameIsLookedUpAndNothingElse) {
  const auto verifier = MakeVerifier();
  for (const std::string& kid :
       {std::string("../../../dev/null"), std::string("/proc/self/environ"), std::string("hs' OR '1'='1"),
        std::string("hs\\u0000"), std::string("HS"), std::string(" hs"), std::string("http://127.0.0.1/hs"),
        std::string("$(id)"), std::string(5000, 'k')}) {
    const std::string token = Sign(absl::StrCat(R"({"alg":"HS256","kid":")", kid, "\"}"), kClaims);
    ExpectRefused(verifier->Verify(token, kIssued), "TOKEN_INVALID", "kid");
    // The key that an empty file would be.
    ExpectRefused(
        verifier->Verify(Sign(absl::StrCat(R"({"alg":"HS256","kid":")", kid, "\"}"), kClaims, ""), kIssued),
        "TOKEN_INVALID", "kid");
  }
}

TEST(Verifier, TakesNoKeyFromTheToken) {
  const std::string header = absl::StrCat(R"({"alg":"HS256","kid":"mine","jwk":{"kty":"oct","k":")",
                                          golden::kSecretBase64Url, R"("},"jku":"http://127.0.0.1/keys"})");
  ExpectRefused(MakeVerifier()->Verify(Sign(header, kClaims), kIssued), "TOKEN_INVALID", "kid");
}

TEST(Verifier, RefusesACriticalExtension) {
  const std::string token = Sign(R"({"alg":"HS256","kid":"hs","crit":["b64"],"b64":false})", kClaims);
  ExpectRefused(MakeVerifier()->Verify(token, kIssued), "TOKEN_INVALID", "extension");
}

TEST(Verifier, RefusesWhatIsNoToken) {
  const auto verifier = MakeVerifier();
  const std::string good = SignClaims(kClaims);
  const std::vector<std::string> tokens = {"",
                                           "a",
                                           "..",
                                           "a.b",
                                           "a.b.c.d",
                                           good + ".",
                                           "." + good,
                                           good + "=",
                                           good + "\n",
                                           " " + good,
                                           std::string("\0.\0.\0", 5),
                                           "\xff\xfe.\xff.\xff",
                                           Base64Url("[]") + "." + Base64Url("{}") + ".AAAA",
                                           Base64Url("{\"alg\":") + "." + Base64Url("{}") + ".AAAA",
                                           std::string(8193, 'a'),
                                           std::string(1 << 20, '.')};
  for (const std::string& token : tokens) ExpectRefused(verifier->Verify(token, kIssued), "TOKEN_MALFORMED");
}

TEST(Verifier, RefusesClaimsThatAreNoObject) {
  const auto verifier = MakeVerifier();
  for (const std::string& claims :
       {std::string(), std::string("[]"), std::string("null"), std::string("{\"iss\":"),
        std::string("{\"iss\":\"\xff\"}"), std::string(5000, '[')}) {
    ExpectRefused(verifier->Verify(SignClaims(claims), kIssued), "TOKEN_MALFORMED");
  }
}

TEST(Verifier, BoundsTheLength) {
  const auto verifier = MakeVerifier();
  const auto with_padding = [](std::size_t bytes) {
    return SignWith(R"("role")", absl::StrCat(R"("padding":")", std::string(bytes, 'x'), R"(","role")"));
  };
  EXPECT_TRUE(verifier->Verify(with_padding(5800), kIssued).ok());
  ExpectRefused(verifier->Verify(with_padding(6200), kIssued), "TOKEN_MALFORMED", "8192");
}

TEST(Verifier, ChecksIssuerAndAudience) {
  const auto verifier = MakeVerifier();
  const std::string aud = R"("aud":"bivouac")";
  ExpectRefused(verifier->Verify(SignWith("issuer.example", "issuer.other"), kIssued), "TOKEN_INVALID",
                "iss");
  ExpectRefused(verifier->Verify(SignWith(aud, R"("aud":"other")"), kIssued), "TOKEN_INVALID", "aud");
  ExpectRefused(verifier->Verify(SignWith(aud, R"("aud":["a","b"])"), kIssued), "TOKEN_INVALID", "aud");
  ExpectRefused(verifier->Verify(SignWith(aud, R"("aud":[])"), kIssued), "TOKEN_INVALID", "aud");
  ExpectRefused(verifier->Verify(SignWith(aud, R"("aud":{"bivouac":1})"), kIssued), "TOKEN_INVALID", "aud");
  ExpectRefused(verifier->Verify(SignWith(aud + ",", ""), kIssued), "TOKEN_INVALID", "aud");
  EXPECT_TRUE(verifier->Verify(SignWith(aud, R"("aud":["other","bivouac"])"), kIssued).ok());
}

TEST(Verifier, HonoursExpiryWithTheSkew) {
  const std::string token = SignClaims(kClaims);
  EXPECT_TRUE(MakeVerifier()->Verify(token, kExpires + kSkew - absl::Milliseconds(1)).ok());
  ExpectRefused(MakeVerifier()->Verify(token, kExpires + kSkew), "TOKEN_EXPIRED");
}

TEST(Verifier, HonoursExpiryOfARememberedToken) {
  const auto verifier = MakeVerifier();
  const std::string token = SignClaims(kClaims);
  ASSERT_TRUE(verifier->Verify(token, kIssued).ok());
  ASSERT_TRUE(verifier->Verify(token, kExpires).ok());
  ExpectRefused(verifier->Verify(token, kExpires + kSkew), "TOKEN_EXPIRED");
  ExpectRefused(verifier->Verify(token, kExpires + kSkew), "TOKEN_EXPIRED");
}

TEST(Verifier, RequiresAnExpiryThatIsADate) {
  const auto verifier = MakeVerifier();
  const std::string exp = R"("exp":1700003600)";
  ExpectRefused(verifier->Verify(SignWith("," + exp, ""), kIssued), "TOKEN_INVALID", "exp");
  for (const char* value : {"\"1700003600\"", "null", "true", "1e300", "-1e300", "9223372036854775808"}) {
    ExpectRefused(verifier->Verify(SignWith(exp, absl::StrCat(R"("exp":)", value)), kIssued), "TOKEN_INVALID",
                  "exp");
  }
  ExpectRefused(verifier->Verify(SignWith(exp, R"("exp":-5)"), kIssued), "TOKEN_EXPIRED");
  EXPECT_TRUE(verifier->Verify(SignWith(exp, R"("exp":1700003600.5)"), kIssued).ok());
}

TEST(Verifier, RefusesATokenOfTheFuture) {
  const std::string exp = R"("exp":1700003600)";
  for (const std::string claim : {"nbf", "iat"}) {
    const std::string token = SignWith(exp, absl::StrCat(exp, ",\"", claim, "\":1700000100"));
    ExpectRefused(MakeVerifier()->Verify(token, kIssued), "TOKEN_INVALID", claim);
    EXPECT_TRUE(MakeVerifier()->Verify(token, kIssued + absl::Seconds(70)).ok());
    ExpectRefused(
        MakeVerifier()->Verify(SignWith(exp, absl::StrCat(exp, ",\"", claim, "\":\"now\"")), kIssued),
        "TOKEN_INVALID", claim);
  }
}

TEST(Verifier, ChecksSubjectTenantAndRole) {
  const auto verifier = MakeVerifier();
  const std::string sub = R"("sub":"user-1")";
  const std::string tenant = R"("tenant":"demo")";
  const std::string role = R"("role":"STAFF")";
  for (const std::string& value : {std::string(R"("")"), std::string("7"),
                                   "\"" + std::string(129, 'x') + "\"", std::string(R"("a\u0000b")")}) {
    ExpectRefused(verifier->Verify(SignWith(sub, R"("sub":)" + value), kIssued), "TOKEN_INVALID", "sub");
  }
  for (const char* value : {R"("")", R"("Demo")", R"("a,b")", R"("-a")", "null", R"(["demo"])"}) {
    ExpectRefused(verifier->Verify(SignWith(tenant, absl::StrCat(R"("tenant":)", value)), kIssued),
                  "TOKEN_INVALID", "tenant");
  }
  for (const char* value : {R"("")", R"("staff")", R"("ROOT")", R"("NONE")", R"(["ADMIN"])", "3"}) {
    ExpectRefused(verifier->Verify(SignWith(role, absl::StrCat(R"("role":)", value)), kIssued),
                  "TOKEN_INVALID", "role");
  }
  ExpectRefused(verifier->Verify(SignWith(sub + ",", ""), kIssued), "TOKEN_INVALID", "sub");
  ExpectRefused(verifier->Verify(SignWith(tenant + ",", ""), kIssued), "TOKEN_INVALID", "tenant");
  ExpectRefused(verifier->Verify(SignWith(role + ",", ""), kIssued), "TOKEN_INVALID", "role");
}

TEST(Verifier, AnOperatorBelongsToNoTenant) {
  const auto verifier = MakeVerifier();
  const std::string member = R"("tenant":"demo","role":"STAFF")";
  const auto claims = verifier->Verify(SignWith(member, R"("role":"OPERATOR")"), kIssued);
  ASSERT_TRUE(claims.ok()) << claims.status();
  EXPECT_EQ(claims->role, Role::kOperator);
  EXPECT_EQ(claims->tenant.str(), "");
  for (const char* tenant : {R"("demo")", R"("")", R"("*")", "null"}) {
    ExpectRefused(
        verifier->Verify(SignWith(member, absl::StrCat(R"("role":"OPERATOR","tenant":)", tenant)), kIssued),
        "TOKEN_INVALID", "tenant");
  }
}

TEST(Verifier, NeverRepeatsTheToken) {
  const auto verifier = MakeVerifier();
  for (const std::string& token : {SignWith("issuer.example", "evil.example"), std::string("not-a-token"),
                                   Sign(R"({"alg":"HS256","kid":"evil-kid"})", kClaims)}) {
    const auto claims = verifier->Verify(token, kIssued);
    ASSERT_FALSE(claims.ok());
    EXPECT_THAT(claims.status().ToString(), Not(HasSubstr(token)));
    EXPECT_THAT(claims.status().ToString(), Not(HasSubstr("evil")));
  }
}

TEST(Verifier, ServesManyThreads) {
  const auto verifier = MakeVerifier();
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&verifier, t] {
      for (int i = 0; i < 50; ++i) {
        const std::string mine = SignWith("user-1", absl::StrCat("user-", t, "-", i));
        const auto claims = verifier->Verify(mine, kIssued);
        ASSERT_TRUE(claims.ok());
        EXPECT_EQ(claims->user_id, absl::StrCat("user-", t, "-", i));
        EXPECT_TRUE(verifier->Verify(golden::kEs256Token, kIssued).ok());
        EXPECT_FALSE(verifier->Verify(mine + "A", kIssued).ok());
      }
    });
  }
}

TEST(Verifier, CreateNamesTheFileAndTheKey) {
  const auto missing = Verifier::Create(SettingsFor("/does/not/exist.json"));
  EXPECT_THAT(missing.status().ToString(), HasSubstr("auth.jwks_file"));
  EXPECT_THAT(missing.status().ToString(), HasSubstr("/does/not/exist.json"));

  const File file(R"({"keys":[{"kty":"oct","kid":"short","alg":"HS256","k":"c2VjcmV0"}]})");
  const auto weak = Verifier::Create(SettingsFor(file.path()));
  EXPECT_THAT(weak.status().ToString(), HasSubstr(file.path()));
  EXPECT_THAT(weak.status().ToString(), HasSubstr("short"));
  EXPECT_THAT(weak.status().ToString(), Not(HasSubstr("c2VjcmV0")));
}

TEST(Roles, AreReadAndNamed) {
  for (const Role role : {Role::kCustomer, Role::kStaff, Role::kAdmin, Role::kService, Role::kOperator}) {
    EXPECT_EQ(ParseRole(RoleName(role)), role);
  }
  EXPECT_EQ(ParseRole("customer"), Role::kNone);
  EXPECT_EQ(ParseRole("NONE"), Role::kNone);
  EXPECT_EQ(ParseRole(""), Role::kNone);
}

}  // namespace
}  // namespace bv::auth
