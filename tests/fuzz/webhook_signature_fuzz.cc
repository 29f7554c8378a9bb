// Whatever a webhook's body, id and secrets are, its headers stay on their lines, and a receiver who knows
// one of the secrets finds the signature right by OpenSSL alone.
//
// Input: two secrets and the delivery's id, a line each, then the body.
#include <absl/strings/escaping.h>
#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <map>

#include "libs/base/strings.h"
#include "services/webhook-dispatcher/domain/signature.h"
#include "tests/fuzz/fuzz.h"

namespace bv::fuzz {
namespace {

using webhook::Secret;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

std::string Hmac(std::string_view key, std::string_view text) {
  std::array<unsigned char, 32> mac{};
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac.data(), &size);
  return {reinterpret_cast<const char*>(mac.data()), size};
}

}  // namespace

void Run(std::string_view input) {
  const std::array<Secret, 2> secrets = {Secret::Trusted(std::string(TakeUntil(input, '\n'))),
                                         Secret::Trusted(std::string(TakeUntil(input, '\n')))};
  const std::string_view id = TakeUntil(input, '\n');
  std::map<std::string, std::string> headers;
  for (auto& [name, value] : webhook::SignedHeaders(id, input, secrets, kNow)) headers.emplace(name, value);

  Require(headers.at("webhook-id") == id && headers.at("webhook-timestamp") == "1700000000",
          "id and time are told");
  std::string own = "t=1700000000";
  std::string standard;
  for (const Secret& secret : secrets) {
    absl::StrAppend(&own, ",v1=", absl::BytesToHexString(Hmac(secret.text(), Concat("1700000000.", input))));
    absl::StrAppend(&standard, standard.empty() ? "v1," : " v1,",
                    absl::Base64Escape(Hmac(secret.bytes(), Concat(id, ".1700000000.", input))));
    if (secret.bytes().empty()) continue;
    Require(secret.text().starts_with("whsec_"), "the bytes of a secret stand behind its prefix");
  }
  Require(headers.at("X-BV-Signature") == own, "the signature is the one of the secrets' texts");
  Require(headers.at("webhook-signature") == standard, "the signature is the one of the secrets' bytes");
}

}  // namespace bv::fuzz
