// One batch of the lane that looks Idempotency-Keys up before anything is done for a request.
#pragma once

#include <optional>
#include <span>

#include "libs/postgres/lane.h"
#include "services/order/store/idempotency_rows.h"

namespace bv::order {

struct LookUp {
  RecordKey key;
};

struct LookedUp {
  // What the key was used for in the last 24 hours.
  std::optional<IdempotencyRecord> record;
  // The database's time.
  absl::Time now;
};

using LookUpLanes = postgres::Lanes<LookUp, LookedUp>;

// LookUpLanes::Execute, in LaneMode::kRead.
absl::Status ExecuteLookUpBatch(postgres::Session& session, std::span<LookUpLanes::Item* const> items);

}  // namespace bv::order
