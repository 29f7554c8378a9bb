// For tests of the verifier: tokens signed with the golden set's key for HS256.
#pragma once

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_replace.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "libs/auth/auth.h"
#include "libs/auth/golden_tokens.h"
#include "libs/base/error.h"

namespace bv::auth {

inline const absl::Time kIssued = absl::FromUnixSeconds(1'700'000'000);
inline const absl::Time kExpires = kIssued + absl::Hours(1);
inline const absl::Duration kSkew = absl::Seconds(30);

inline constexpr char kClaims[] =
    R"({"iss":"https://issuer.example","aud":"bivouac","sub":"user-1","tenant":"demo","role":"STAFF","exp":1700003600})";

inline std::string Base64Url(const std::string& bytes) {
  return absl::WebSafeBase64Escape(bytes);
}

inline std::string Secret() {
  std::string secret;
  EXPECT_TRUE(absl::WebSafeBase64Unescape(golden::kSecretBase64Url, &secret));
  return secret;
}

// Signs with HMAC-SHA256, by OpenSSL alone.
inline std::string Sign(const std::string& header, const std::string& claims,
                        const std::string& secret = Secret()) {
  const std::string text = Base64Url(header) + "." + Base64Url(claims);
  unsigned char mac[32];
  unsigned int length = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac, &length);
  return text + "." + Base64Url(std::string(reinterpret_cast<char*>(mac), length));
}

inline std::string SignClaims(const std::string& claims) {
  return Sign(R"({"alg":"HS256","kid":"hs"})", claims);
}

// The good claims with `from` replaced by `to`, signed.
inline std::string SignWith(const std::string& from, const std::string& to) {
  const std::string claims = absl::StrReplaceAll(kClaims, {{from, to}});
  EXPECT_NE(claims, kClaims) << from;
  return SignClaims(claims);
}

class File {
 public:
  explicit File(const std::string& content)
      : path_(std::filesystem::temp_directory_path() /
              absl::StrCat("auth_test_", getpid(), "_", ++count_, ".json")) {
    std::ofstream(path_) << content;
  }
  ~File() { std::filesystem::remove(path_); }
  std::string path() const { return path_.string(); }

 private:
  static inline int count_ = 0;
  std::filesystem::path path_;
};

inline Settings SettingsFor(const std::string& jwks_file) {
  return {.jwks_file = jwks_file,
          .development = true,
          .issuer = "https://issuer.example",
          .audience = "bivouac",
          .clock_skew = kSkew};
}

inline std::unique_ptr<Verifier> MakeVerifier() {
  const File file(golden::kJwkSet);
  auto verifier = Verifier::Create(SettingsFor(file.path()));
  EXPECT_TRUE(verifier.ok()) << verifier.status();
  return *std::move(verifier);
}

inline void ExpectRefused(const absl::StatusOr<Claims>& claims, const std::string& reason,
                          const std::string& message = "") {
  ASSERT_FALSE(claims.ok());
  EXPECT_EQ(claims.status().code(), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(ErrorReason(claims.status()), reason) << claims.status();
  EXPECT_THAT(std::string(claims.status().message()), ::testing::HasSubstr(message));
}

}  // namespace bv::auth
