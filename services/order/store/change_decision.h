// What a change makes of one order of a batch; in memory, without SQL.
#pragma once

#include <absl/status/statusor.h>

#include <optional>
#include <vector>

#include "libs/events/outbox.h"
#include "services/order/store/change_batch.h"
#include "services/order/store/change_rows.h"

namespace bv::order {

// One order of a batch: what is stored, and what the changes so far have made of it.
struct Subject {
  Order stored_order;
  std::optional<Process> stored_process;

  Order order = stored_order;
  std::optional<Process> process = stored_process;
  std::vector<HistoryEntry> history;
  std::vector<events::OutboxRow> events;
};

// Changes the subject, or leaves it as it is and says why; `now` is the transaction's time. Idempotency keys
// and owners have been looked at before.
absl::StatusOr<Changed::How> Decide(Subject& subject, const Change& change, const RequestContext& context,
                                    absl::Time now);

}  // namespace bv::order
