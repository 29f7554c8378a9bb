// Where the rows of projections are stored: PostgreSQL (postgres_sink.h), Redis, later Cassandra and
// OpenSearch.
#pragma once

#include <absl/status/status.h>

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "libs/projections/projection.h"
#include "libs/projections/row.h"

namespace bv::projections {

struct Partition {
  std::string topic;
  int number = 0;

  friend auto operator<=>(const Partition&, const Partition&) = default;
};
// By partition the offset of the first message that is not applied yet.
using Positions = std::map<Partition, std::int64_t>;
// Without the partitions of which nothing is applied: those need not be there, so that they compare equal.
Positions WithoutZeros(const Positions& positions);

struct SourcedChange {
  Partition partition;
  std::int64_t offset = 0;
  Change change;
  // Of the event. Where rows have sums it must not be empty; elsewhere it is not needed.
  std::string event_id = {};
};

// What a projection makes of a batch of messages.
struct Batch {
  // In the order of the messages; of one partition by growing offset, of one message in the function's order.
  std::vector<SourcedChange> changes;
  // Behind the last message of each partition in the batch, whether it made a change or not.
  Positions positions;
};

// Used by one thread at a time.
class Sink {
 public:
  virtual ~Sink() = default;

  // Returns OK when all of the batch is durable, or as durable as the store is. The same batch, or one that
  // overlaps with it, may come again, after a status that is not OK as after a crash, and changes nothing
  // then: puts and removals are gated by their version; a store that keeps sums keeps the position in the
  // same transaction, and passes over what is before it. It also keeps the ids of the events that it added:
  // when a relay dies, an event may stand in a topic twice. UNAVAILABLE or ABORTED: the same batch later is
  // likely to succeed. INVALID_ARGUMENT: the store cannot hold such rows (sums, or values of its own limits).
  virtual absl::Status Apply(const Projection& projection, const Batch& batch) = 0;
};

// A sink whose rows can be rebuilt beside the ones that are read, and compared with them: several versions of
// the rows of a projection stand beside each other, each with its positions, and a pointer says which one is
// live.
class ReadModel : public Sink {
 public:
  // Of the version of the rows that this sink writes; those that were committed with them.
  virtual absl::StatusOr<Positions> PositionsOf(const Projection& projection) = 0;
  // Shows every row of that version, of all tenants, in no order, as of one moment, and returns the positions
  // of that moment. Removed rows are shown too, without values.
  virtual absl::StatusOr<Positions> Scan(const Projection& projection,
                                         const std::function<void(const Row&)>& visit) = 0;
};

}  // namespace bv::projections
