// One batch of a stock lane: locks the rows of all its requests in key order, decides the requests in the
// order of their arrival, and writes stock, reservations, ledger and outbox with one statement.
#pragma once

#include <absl/status/status.h>

#include <span>

#include "libs/postgres/lane.h"
#include "services/inventory/domain/commands.h"
#include "services/inventory/domain/demand.h"
#include "services/inventory/domain/sold_out.h"

namespace bv::inventory {

using StockLanes = postgres::Lanes<Command, Outcome>;

// What a process remembers of the stock beside its rows; told by every batch that is committed.
struct StockMemory {
  SoldOut sold_out;
  Demand demand;
};

// StockLanes::Execute. A refusal (out of stock, an unknown reservation) is the answer of its request, not a
// failure of the batch.
absl::Status ExecuteStockBatch(StockMemory& memory, postgres::Session& session,
                               std::span<StockLanes::Item* const> items);

}  // namespace bv::inventory
