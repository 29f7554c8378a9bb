#include "libs/auth/jwk_set.h"

#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "libs/auth/golden_tokens.h"

namespace bv::auth {
namespace {

using ::testing::HasSubstr;

TEST(JwkSet, RefusesWhatIsNotASetOfStrongSigningKeys) {
  const std::string k = absl::StrCat(R"("k":")", golden::kSecretBase64Url, "\"");
  const struct {
    std::string json;
    const char* message;
  } kCases[] = {
      {"", "not JSON"},
      {"{", "not JSON"},
      {"[]", "keys"},
      {R"({"keys":{}})", "keys"},
      {R"({"keys":[]})", "not empty"},
      {R"({"keys":[7]})", "keys[0]: kid"},
      {R"({"keys":[{"kty":"oct","alg":"HS256",)" + k + "}]}", "keys[0]: kid"},
      {R"({"keys":[{"kty":"oct","kid":"a",)" + k + "}]}", "alg must be"},
      {R"({"keys":[{"kty":"oct","kid":"a","alg":"none",)" + k + "}]}", "alg must be"},
      {R"({"keys":[{"kty":"oct","kid":"a","alg":"RS256",)" + k + "}]}", "kty must be RSA"},
      {R"({"keys":[{"kty":"oct","kid":"a","alg":"HS256","use":"enc",)" + k + "}]}", "use must be sig"},
      {R"({"keys":[{"kty":"oct","kid":"a","alg":"HS256"}]})", "not a valid oct key"},
      {R"({"keys":[{"kty":"oct","kid":"a","alg":"HS256","k":"AAAA"}]})", "needs at least 256"},
      // Found by fuzzing: cjose ended the process for these.
      {R"({"keys":[{"kty":"RSA","kid":"a","alg":"RS256","n":"AAAA","n":"AAAAA=AA","e":"AQAB"}]})",
       "has 0 bits"},
      {R"({"keys":[{"kty":"oct","kid":"a","alg":"HS256","k":"AAAAA=AA"}]})", "k must be base64url"},
      {R"({"keys":[{"kty":"RSA","kid":"a","alg":"RS256","n":"AAAAA=AA","e":"AQAB"}]})",
       "n must be base64url"},
      {R"({"keys":[{"kty":"RSA","kid":"a","alg":"RS256","n":7,"e":"AQAB"}]})", "n must be base64url"},
      {R"({"keys":[{"kty":"EC","kid":"a","alg":"ES256","crv":"P-384","x":"AA","y":"AA"}]})", "P-256"},
      {R"({"keys":[{"kty":"EC","kid":"a","alg":"ES256","crv":"P-256","x":"AA","y":"AA"}]})",
       "not a valid EC key"},
      {absl::StrCat(R"({"keys":[)", golden::kWeakRsaJwk, "]}"), "needs at least 2048"},
      {R"({"keys":[{"kty":"oct","kid":"a","alg":"HS256",)" + k +
           R"(},{"kty":"oct","kid":"a","alg":"HS256",)" + k + "}]}",
       "stands twice"},
  };
  for (const auto& test : kCases) {
    const auto keys = ParseJwkSet(test.json, {.symmetric = true});
    ASSERT_FALSE(keys.ok()) << test.json;
    EXPECT_THAT(std::string(keys.status().message()), HasSubstr(test.message));
  }
}

TEST(JwkSet, TakesSymmetricKeysInDevelopmentOnly) {
  EXPECT_TRUE(ParseJwkSet(golden::kJwkSet, {.symmetric = true}).ok());
  const auto keys = ParseJwkSet(golden::kJwkSet, {});
  ASSERT_FALSE(keys.ok());
  EXPECT_THAT(std::string(keys.status().message()), HasSubstr("development"));
}

TEST(JwkSet, PassesOverWhatIsOfNoUseInASetOfSomebodyElse) {
  const auto keys = ParseJwkSet(golden::kJwkSet, {.passes_over = true});
  ASSERT_TRUE(keys.ok()) << keys.status();
  EXPECT_EQ(keys->size(), 3U);
  EXPECT_FALSE(keys->contains("hs"));
  const auto none =
      ParseJwkSet(R"({"keys":[{"kty":"OKP","kid":"a","alg":"EdDSA"},{},7]})", {.passes_over = true});
  EXPECT_THAT(std::string(none.status().message()), HasSubstr("holds no key"));
}

}  // namespace
}  // namespace bv::auth
