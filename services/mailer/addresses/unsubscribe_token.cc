#include "services/mailer/addresses/unsubscribe_token.h"

#include <absl/strings/escaping.h>
#include <openssl/crypto.h>

#include <algorithm>

#include "libs/base/error.h"
#include "libs/base/hmac.h"
#include "libs/base/strings.h"

namespace bv::mailer {
namespace {

constexpr std::size_t kHashLength = 64;

std::string Sign(const config::Secret& secret, const TenantId& tenant, std::string_view address_hash) {
  return absl::WebSafeBase64Escape(
      HmacSha256(secret.Reveal(), Concat("unsubscribe\n", tenant.str(), "\n", address_hash)));
}

}  // namespace

std::string MakeUnsubscribeToken(const config::Secret& secret, const TenantId& tenant,
                                 std::string_view address_hash) {
  return Concat(address_hash, ".", Sign(secret, tenant, address_hash));
}

absl::StatusOr<std::string> ReadUnsubscribeToken(const config::Secret& secret, const TenantId& tenant,
                                                 std::string_view token) {
  const std::string_view hash = token.substr(0, std::min(token.size(), kHashLength));
  const std::string expected = MakeUnsubscribeToken(secret, tenant, hash);
  if (hash.size() != kHashLength || token.size() != expected.size() ||
      CRYPTO_memcmp(token.data(), expected.data(), expected.size()) != 0) {
    return Error(absl::StatusCode::kInvalidArgument, "TOKEN_INVALID",
                 "is not the token of a link in one of this shop's mails", "token");
  }
  return std::string(hash);
}

}  // namespace bv::mailer
