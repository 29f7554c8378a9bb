#include "libs/testing/testing.h"

#include <absl/strings/escaping.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>

#include "libs/auth/auth.h"
#include "libs/base/strings.h"

namespace bv::testing {
namespace {

// The text value of `member` in a JSON text that the test's own tools wrote.
std::string Member(std::string_view json, std::string_view member) {
  const std::size_t name = json.find(Concat("\"", member, "\""));
  const std::size_t open = json.find('"', json.find(':', name));
  return std::string(json.substr(open + 1, json.find('"', open + 1) - open - 1));
}

std::string Base64Url(std::string_view text) {
  return absl::WebSafeBase64Escape(Absl(text));
}

}  // namespace

Loop::Loop() : work_(io_.get_executor()), thread_([this] { io_.run(); }) {}

Loop::~Loop() {
  work_.reset();
  io_.stop();
  thread_.join();
}

RequestContext ContextOf(std::string_view tenant, std::string_view user, Role role) {
  RequestContext context;
  context.tenant = TenantId::Trusted(std::string(tenant));
  context.user_id = std::string(user);
  context.role = role;
  context.trace = {
      .trace_id = "4bf92f3577b34da6a3ce929d0e0e4736", .span_id = "00f067aa0ba902b7", .sampled = false};
  context.correlation_id = "correlation-1";
  return context;
}

std::string MakeToken(std::string_view jwks, std::string_view tenant, std::string_view user, Role role,
                      absl::Duration lifetime) {
  std::string key;
  absl::WebSafeBase64Unescape(Member(jwks, "k"), &key);
  const std::string header = Concat(R"({"alg":"HS256","typ":"JWT","kid":")", Member(jwks, "kid"), R"("})");
  const std::string claims =
      Concat(R"({"iss":"https://issuer.bivouac.dev","aud":"bivouac","sub":")", user, R"(",)",
             tenant.empty() ? "" : Concat(R"("tenant":")", tenant, R"(",)"), R"("role":")",
             auth::RoleName(role), R"(","iat":)", absl::ToUnixSeconds(absl::Now()), R"(,"exp":)",
             absl::ToUnixSeconds(absl::Now() + lifetime), "}");
  const std::string input = Concat(Base64Url(header), ".", Base64Url(claims));
  unsigned char mac[EVP_MAX_MD_SIZE];
  unsigned int mac_size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(input.data()), input.size(), mac, &mac_size);
  return Concat(input, ".", Base64Url({reinterpret_cast<const char*>(mac), mac_size}));
}

JwksFile::JwksFile(char fill) {
  static std::atomic<int> counter{0};
  jwks_ = Concat(R"({"keys":[{"kty":"oct","kid":"test","alg":"HS256","k":")",
                 Base64Url(std::string(32, fill)), R"("}]})");
  path_ = Concat(std::filesystem::temp_directory_path().string(), "/bv_test_", ::getpid(), "_",
                 counter.fetch_add(1), ".jwks.json");
  std::ofstream(path_) << jwks_;
}

JwksFile::~JwksFile() {
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

}  // namespace bv::testing
