// Topics of a cluster.
#pragma once

#include <absl/time/time.h>
#include <absl/types/span.h>

#include "libs/kafka/producer.h"
#include "libs/kafka/topics.h"

namespace bv::kafka {

// Creates those of `topics` that do not exist, through the producer's connections. What exists stays as it
// is: another number of partitions would move keys to other partitions, so a difference is only logged.
// UNAVAILABLE when the brokers do not answer in time.
absl::Status CreateMissingTopics(const Producer& producer, absl::Span<const TopicSpec> topics,
                                 int replication_factor, absl::Time deadline);

}  // namespace bv::kafka
