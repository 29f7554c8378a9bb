#include "libs/auth/service_tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "libs/base/error.h"

namespace bv::auth {
namespace {

class ServiceTokensTest : public testing::Test {
 protected:
  // Named by the process, since several run at once.
  const std::string file_ = testing::TempDir() + "/signing_key_" + std::to_string(getpid()) + ".json";
  void TearDown() override { std::filesystem::remove(file_); }

  absl::StatusOr<std::unique_ptr<ServiceTokens>> Make(const std::string& jwks) {
    std::ofstream(file_) << jwks;
    return ServiceTokens::Create("order-service", {.signing_key_file = file_}, settings());
  }
  Settings settings() const {
    return {
        .jwks_file = file_, .development = true, .issuer = "https://issuer.example", .audience = "bivouac"};
  }
};

constexpr char kSecret[] =
    R"({"keys":[{"kty":"oct","kid":"k1","alg":"HS256","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}]})";

TEST_F(ServiceTokensTest, AreAcceptedByTheVerifier) {
  const auto tokens = Make(kSecret);
  ASSERT_TRUE(tokens.ok()) << tokens.status();
  const RequestContext context =
      (*tokens)->ContextFor(TenantId::Trusted("acme"), absl::Now() + absl::Seconds(5));
  EXPECT_EQ(context.role, Role::kService);
  const auto verifier = Verifier::Create(settings());
  ASSERT_TRUE(verifier.ok()) << verifier.status();
  const auto claims = (*verifier)->Verify(context.bearer_token);
  ASSERT_TRUE(claims.ok()) << claims.status();
  EXPECT_EQ(claims->user_id, "order-service");
  EXPECT_EQ(claims->tenant, TenantId::Trusted("acme"));
  EXPECT_EQ(claims->role, Role::kService);
}

TEST_F(ServiceTokensTest, AreKeptForEachTenant) {
  const auto tokens = Make(kSecret);
  ASSERT_TRUE(tokens.ok()) << tokens.status();
  const auto token = [&](const char* tenant) {
    return (*tokens)->ContextFor(TenantId::Trusted(tenant), absl::InfiniteFuture()).bearer_token;
  };
  EXPECT_EQ(token("acme"), token("acme"));
  EXPECT_NE(token("acme"), token("other"));
}

TEST_F(ServiceTokensTest, APublicKeyCannotSign) {
  // The example of RFC 7517, appendix A.1.
  const auto tokens = Make(
      R"({"keys":[{"kty":"EC","crv":"P-256","alg":"ES256","kid":"1","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",)"
      R"("y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]})");
  EXPECT_EQ(GetErrorDetail(tokens.status()).field, "auth.signing_key_file");
}

}  // namespace
}  // namespace bv::auth
