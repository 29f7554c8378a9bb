// One batch of a stock lane: locks the rows of all its requests in key order, decides the requests in the
// order of their arrival, and writes stock, reservations, ledger and outbox with one statement each.
#pragma once

#include <absl/status/status.h>

#include <span>

#include "libs/postgres/lane.h"
#include "services/inventory/domain/commands.h"

namespace bv::inventory {

using StockLanes = postgres::Lanes<Command, Outcome>;

// StockLanes::Execute. A refusal (out of stock, an unknown reservation) is the answer of its request, not a
// failure of the batch.
absl::Status ExecuteStockBatch(postgres::Session& session, std::span<StockLanes::Item* const> items);

}  // namespace bv::inventory
