// Deletes revocations that are to be forgotten.
#pragma once

#include <absl/status/statusor.h>

#include <stop_token>

#include "libs/async/task.h"
#include "libs/postgres/postgres.h"

namespace bv::identity {

// One round of service::Job: some of those of all tenants; whether there may be more.
async::Task<absl::StatusOr<bool>> ForgetSome(postgres::Pool& pool, std::stop_token stop);

}  // namespace bv::identity
