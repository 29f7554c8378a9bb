// Deletes mails that ended long ago.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <stop_token>

#include "libs/async/task.h"
#include "libs/postgres/postgres.h"

namespace bv::mailer {

// One round of service::Job: some of those that ended before `keep`; whether there may be more.
async::Task<absl::StatusOr<bool>> DeleteOldMails(postgres::Pool& pool, absl::Duration keep,
                                                 std::stop_token stop);

}  // namespace bv::mailer
