#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "libs/kafka/consumer.h"
#include "libs/postgres/postgres.h"
#include "libs/projections/sink.h"
#include "services/replay/domain/replay.h"

namespace bv::replay {

// Checks that the topics of the projection reach back to their first messages, and returns where a replay to
// a point in time ends, by partition; nothing for others. FAILED_PRECONDITION, reason LOG_INCOMPLETE;
// INVALID_ARGUMENT for an offset that the partition does not have yet, for a partition that there is not, and
// for a time that has not come. Asks Kafka and the read models, and blocks meanwhile.
absl::StatusOr<projections::Positions> LogEnd(const kafka::ConsumerSettings& kafka,
                                              const postgres::ConnectionSettings& read_models,
                                              const projections::Projection& projection,
                                              const Request& request, absl::Time deadline);

}  // namespace bv::replay
