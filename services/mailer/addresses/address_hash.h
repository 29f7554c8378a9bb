// An address as it is kept where only its likeness matters.
#pragma once

#include <string>

#include "libs/base/values.h"

namespace bv::mailer {

// SHA-256, hexadecimal, of the address in lower case, with the tenant, so that one cannot be looked for in
// the other's rows.
std::string AddressHash(const TenantId& tenant, const Email& email);

}  // namespace bv::mailer
