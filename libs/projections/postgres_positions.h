// Inside libs/projections: how far the rows of a version have come, in the tables projection_position and
// projection_event, and which of them are live. All inside `work` of a transaction; they throw what libpqxx
// throws.
#pragma once

#include <absl/status/statusor.h>

#include <set>
#include <string>
#include <vector>

#include "libs/postgres/postgres.h"
#include "libs/projections/sink.h"

namespace bv::projections {

Positions ReadPositions(postgres::Session& session, const std::string& name, int rows_version);

// Of the partitions of `wanted`, 0 for those of which nothing was applied; locked until the end of the
// transaction, so that two writers of the same rows take turns.
Positions LockPositions(postgres::Session& session, const std::string& name, int rows_version,
                        const Positions& wanted);

// Never moves one back.
void WritePositions(postgres::Session& session, const std::string& name, int rows_version,
                    const Positions& positions);

// Notes that the sums have these events, and returns those that they did not have.
std::set<std::string> AddEvents(postgres::Session& session, const std::string& name, int rows_version,
                                const std::vector<std::string>& event_ids);

struct LiveVersion {
  int rows_version = 0;
  int made_by = 0;
};
// Whether others may still read which version is live until the end of the transaction (nobody can change
// it), or have to wait.
enum class LiveLock { kShared, kExclusive };

// NOT_FOUND, reason PROJECTION_NOT_REGISTERED.
absl::StatusOr<LiveVersion> LockLive(postgres::Session& session, const std::string& name, LiveLock lock);

}  // namespace bv::projections
