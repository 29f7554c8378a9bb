// Inside libs/auth: the keys that tokens are checked with.
#pragma once

#include <absl/status/statusor.h>
#include <cjose/cjose.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace bv::auth {

struct ReleaseJwk {
  void operator()(cjose_jwk_t* jwk) const { cjose_jwk_release(jwk); }
};

struct Key {
  // The one algorithm that this key is for: HS256, RS256, PS256 or ES256.
  std::string algorithm;
  std::unique_ptr<cjose_jwk_t, ReleaseJwk> jwk;
};

using KeysById = std::map<std::string, Key, std::less<>>;

struct JwkSetRules {
  // Whether HS256 may be: whoever can check such a token can make it.
  bool symmetric = false;
  // Whether keys that are of no use here are passed over instead of refused, as RFC 7517 section 5 wishes for
  // sets of somebody else.
  bool passes_over = false;
};

// Reads a JWK set (RFC 7517 section 5): at least one key, each with its own `kid`, an `alg` that fits its
// `kty`, and of full strength (HS256 256 bits, RSA 2048 bits, ES256 on P-256). INVALID_ARGUMENT names what is
// wrong with which key, never its value.
absl::StatusOr<KeysById> ParseJwkSet(std::string_view json, const JwkSetRules& rules);

}  // namespace bv::auth
