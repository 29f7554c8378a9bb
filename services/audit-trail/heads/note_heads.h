// Notes the ends of the chains in the log, which is kept elsewhere: whoever cuts off the end of a chain, or
// makes it anew, does not change what was noted. `tools/bv audit verify --head` compares.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <stop_token>

#include "libs/async/task.h"
#include "libs/postgres/postgres.h"

namespace bv::audit_trail {

// A line for each chain that was moved after `since`, which becomes the time of the last one of them. True
// when there may be more.
async::Task<absl::StatusOr<bool>> NoteHeads(postgres::Pool& pool, absl::Time& since, std::stop_token stop);

}  // namespace bv::audit_trail
