// Tokens that are no longer good although they have not expired.
#pragma once

#include <absl/time/time.h>

#include <string>

namespace bv::identity {

struct Revocation {
  // The claim `sub`.
  std::string subject;
  // The claim `jti` of the one token; empty: all that were issued until then.
  std::string token_id;
  absl::Time issued_until;
  // By then the last of them has expired by itself.
  absl::Time forget_after;
  // The user who asked for it last.
  std::string revoked_by;
};

}  // namespace bv::identity
