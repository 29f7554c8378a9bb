// A read model made anew from the log, up to given positions: the live path's function and sink, reading
// whole partitions instead of a group's.
#pragma once

#include <absl/status/statusor.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <vector>

#include "libs/kafka/consumer.h"
#include "libs/kafka/log_reader.h"
#include "libs/projections/runner.h"
#include "libs/projections/sink.h"

namespace bv::projections {

struct RebuildSettings {
  // batch_max is how many messages are applied in one transaction, at most.
  kafka::ConsumerSettings kafka;
  // Partitions that are read at the same time, each with a thread and a sink of its own.
  int workers_max = 12;
  // Of messages that wait in memory, all workers together.
  std::int64_t buffer_bytes = 12 << 20;
  // Go on after an event that the function refuses, and count it, as the live path does.
  bool pass_over_refused = false;
};

// Advance is called by one thread at a time, the others by any.
class Rebuild {
 public:
  using MakeSink = std::function<std::unique_ptr<ReadModel>()>;

  // Sinks are made when they are needed, one a worker, and kept.
  Rebuild(const RebuildSettings& settings, Projection projection, MakeSink make_sink);

  // Applies every message before `target` that is not applied yet: the sink's positions say so, wherever the
  // last call, or process, ended. OK when the positions are exactly `target`. FAILED_PRECONDITION, reason
  // EVENT_REFUSED, names the topic, partition, offset and reason of an event that is refused; reason AHEAD
  // when the rows have gone beyond `target`. OUT_OF_RANGE, reason LOG_INCOMPLETE, when messages that are
  // needed are not kept any more. UNAVAILABLE, ABORTED or DEADLINE_EXCEEDED when Kafka or the store is away
  // or busy: call it again. CANCELLED after Cancel.
  absl::Status Advance(const Positions& target);

  // Makes Advance end soon, also when it is called later.
  void Cancel() { stop_.request_stop(); }

  // Messages applied and refused by this object; what is applied again after a failure counts again.
  std::int64_t applied() const { return applied_; }
  std::int64_t refused() const { return refused_; }

 private:
  struct Part {
    Partition partition;
    kafka::OffsetRange range;
  };
  // The parts one by one, by several workers; the first failure ends all of them.
  absl::Status Apply(const std::vector<Part>& parts);
  absl::Status Apply(const Part& part, ReadModel& sink, std::stop_token stop);
  // What the function makes of the messages, added to `batch`.
  absl::Status Collect(std::span<const kafka::Message> messages, Batch& batch);
  ReadModel& SinkOf(std::size_t worker);

  const RebuildSettings settings_;
  const std::vector<Route> routes_;
  const MakeSink make_sink_;
  kafka::LogReader reader_;
  // Made before the workers begin.
  std::vector<std::unique_ptr<ReadModel>> sinks_;
  std::stop_source stop_;
  std::atomic<std::int64_t> applied_ = 0, refused_ = 0;
};

}  // namespace bv::projections
