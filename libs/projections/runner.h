// Events from Kafka through projections into their sinks: a group of its own, at least once, in order per
// partition.
#pragma once

#include <absl/status/status.h>

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "libs/events/envelope.h"
#include "libs/kafka/consumer.h"
#include "libs/kafka/dead_letters.h"
#include "libs/projections/sink.h"
#include "libs/telemetry/telemetry.h"

namespace bv::projections {

// Of the threads that make rows, here and in a rebuild: what answers requests comes first.
inline constexpr int kNiceness = 10;

// A projection and where its rows go. The sink outlives the runner, and may be that of several projections.
struct Route {
  Projection projection;
  Sink* sink = nullptr;
};

// What the projections of `routes` make of a batch of events, one Batch each, in their order. An event that
// one of them refuses changes nothing in any, and is told to `refuse`; not OK when that is not.
absl::StatusOr<std::vector<Batch>> Project(
    const std::vector<Route>& routes, std::span<const events::Event> events,
    const std::function<absl::Status(const kafka::Message&, const absl::Status&)>& refuse);

class Runner {
 public:
  // Consumes the topics of all projections. Tests have topics of their own: with `topics` those are read
  // instead.
  Runner(const kafka::ConsumerSettings& kafka, const std::string& group, std::vector<Route> routes,
         const std::vector<std::string>& topics = {});

  // Begins to consume; Kafka may come later. INVALID_ARGUMENT for settings that cannot be.
  absl::Status Start() { return consumer_.Run(); }
  // Returns when the batch that runs has ended.
  void Stop() { consumer_.Stop(); }

  // As Consumer's: what was not applied by then did not happen. Thread safe.
  bool caught_up_lately() const { return consumer_.caught_up_lately(); }
  // The newest `occurredAt` that was applied since the start; InfinitePast before the first. Thread safe.
  absl::Time newest_occurred_at() const;

 private:
  absl::Status Handle(std::span<const kafka::Message> messages);
  absl::Status Apply(std::span<const kafka::Message> messages, std::span<const events::Event> events);

  const std::string group_;
  const std::vector<Route> routes_;
  std::vector<prometheus::Counter*> changes_;
  std::atomic<std::int64_t> newest_micros_;
  // Of the consumer's thread.
  kafka::DeadLetters dead_letters_;
  kafka::Consumer consumer_;
};

}  // namespace bv::projections
