#include "services/mailer/addresses/address_hash.h"

#include <absl/strings/ascii.h>

#include "libs/base/digest.h"
#include "libs/base/strings.h"

namespace bv::mailer {

std::string AddressHash(const TenantId& tenant, const Email& email) {
  return Sha256Hex(Concat(tenant.str(), "\n", absl::AsciiStrToLower(email.str())));
}

}  // namespace bv::mailer
