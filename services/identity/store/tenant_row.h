#pragma once

#include <cstdint>

#include "libs/postgres/postgres.h"

namespace bv::identity {

// Puts the changes of a tenant one after another: others wait until this transaction ends. Returns the
// change's number, higher than those before. What is read behind it stays as it is. Throws what libpqxx
// throws.
std::int64_t LockTenant(postgres::Session& session, const TenantId& tenant);

}  // namespace bv::identity
