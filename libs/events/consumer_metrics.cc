#include "libs/events/consumer_metrics.h"

#include <absl/time/clock.h>

#include <algorithm>

#include "libs/base/clock.h"

namespace bv::events {
namespace {

constexpr absl::Duration kTellEvery = absl::Seconds(1);

}  // namespace

void ConsumerMetrics::Count(const kafka::Message& message, const char* outcome) {
  prometheus::Counter*& counter = counters_[{message.topic, outcome}];
  if (counter == nullptr) {
    counter = &telemetry::Counter("consumer_events_total", "Events, by what became of them.",
                                  {{"group", group_}, {"topic", message.topic}, {"outcome", outcome}});
  }
  counter->Increment();
}

void ConsumerMetrics::Tell(const Parked& parked) {
  if (MonotonicNow() - told_at_ < kTellEvery) return;
  told_at_ = MonotonicNow();
  for (const std::string& topic : topics_) {
    const Parked::Sum sum = parked.SumOf(topic);
    const telemetry::Labels labels{{"group", group_}, {"topic", topic}};
    telemetry::Gauge("consumer_parked_events", "Events that are parked.", labels)
        .Set(static_cast<double>(sum.events));
    telemetry::Gauge("consumer_parked_keys", "Keys that are parked.", labels)
        .Set(static_cast<double>(sum.keys));
    telemetry::Gauge("consumer_dead_keys", "Keys that stay parked behind a dead letter.", labels)
        .Set(static_cast<double>(sum.dead_keys));
    const absl::Time now = absl::Now();
    telemetry::Gauge("consumer_parked_oldest_seconds", "Age of the oldest parked event, 0 without one.",
                     labels)
        .Set(absl::ToDoubleSeconds(now - std::min(sum.oldest, now)));
  }
  telemetry::Gauge("consumer_parked_bytes", "What is parked, of parked_bytes_max.", {{"group", group_}})
      .Set(static_cast<double>(parked.bytes()));
}

}  // namespace bv::events
