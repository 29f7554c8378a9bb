// A set of keys that was fetched: read or refused, and nothing between.
//
// Input: a byte that chooses the rules, then the JSON text of the set.
#include "libs/auth/jwk_set.h"
#include "tests/fuzz/fuzz.h"

namespace bv::fuzz {

void Run(std::string_view input) {
  const std::size_t choice = Choose(input, 4);
  const auth::JwkSetRules rules{.symmetric = choice % 2 == 1, .passes_over = choice / 2 == 1};
  const absl::StatusOr<auth::KeysById> keys = auth::ParseJwkSet(input, rules);
  if (!keys.ok())
    return Require(keys.status().code() == absl::StatusCode::kInvalidArgument,
                   "a refusal is INVALID_ARGUMENT");
  Require(!keys->empty(), "a set that passes has a key");
  for (const auto& [id, key] : *keys) {
    Require(!id.empty() && key.jwk != nullptr, "every key has an id");
    Require(rules.symmetric || key.algorithm != "HS256", "who may only check cannot sign");
    cjose_err error{};
    Require(cjose_jwk_get_keysize(key.jwk.get(), &error) >= 256, "every key is of full strength");
  }
}

}  // namespace bv::fuzz
