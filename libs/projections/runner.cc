#include "libs/projections/runner.h"

#include <absl/strings/numbers.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <set>

#include "libs/base/crash_point.h"
#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/events/handling_spans.h"

namespace bv::projections {
namespace {

// Rows that follow later may follow a little later still: what answers requests comes first, and larger
// batches cost less.
constexpr absl::Duration kGatherMax = absl::Milliseconds(200);
constexpr std::int64_t kNothingYet = std::numeric_limits<std::int64_t>::min();

kafka::ConsumerSettings Patient(kafka::ConsumerSettings settings) {
  settings.niceness = kNiceness;
  settings.gather_max = kGatherMax;
  return settings;
}

std::vector<std::string> TopicsOf(const std::vector<Route>& routes) {
  std::set<std::string> topics;
  for (const Route& route : routes)
    topics.insert(route.projection.topics.begin(), route.projection.topics.end());
  return {topics.begin(), topics.end()};
}

absl::StatusOr<std::int64_t> AggregateVersionOf(const kafka::Message& message) {
  const auto header = message.headers.find("aggregateVersion");
  std::int64_t version = 0;
  if (header == message.headers.end() || !absl::SimpleAtoi(header->second, &version))
    return InvalidValue("aggregateVersion", "must be a whole number in the header");
  return version;
}

// By route.
absl::StatusOr<std::vector<std::vector<Change>>> ChangesOf(const std::vector<Route>& routes,
                                                           const events::Event& event) {
  ASSIGN_OR_RETURN(const std::int64_t version, AggregateVersionOf(event.message));
  const Event projected{event.context.tenant, version, event.envelope};
  std::vector<std::vector<Change>> changes;
  for (const Route& route : routes) {
    ASSIGN_OR_RETURN(std::vector<Change> made, route.projection.changes(projected));
    for (const Change& change : made) RETURN_IF_ERROR(CheckFits(route.projection.shape, change));
    changes.push_back(std::move(made));
  }
  return changes;
}

}  // namespace

absl::StatusOr<std::vector<Batch>> Project(
    const std::vector<Route>& routes, std::span<const events::Event> events,
    const std::function<absl::Status(const kafka::Message&, const absl::Status&)>& refuse) {
  std::vector<Batch> batches(routes.size());
  for (const events::Event& event : events) {
    absl::StatusOr<std::vector<std::vector<Change>>> changes = ChangesOf(routes, event);
    if (!changes.ok()) {
      RETURN_IF_ERROR(refuse(event.message, changes.status()));
      continue;
    }
    const Partition partition{event.message.topic, event.message.partition};
    for (std::size_t i = 0; i < routes.size(); ++i) {
      const std::string_view id =
          routes[i].projection.shape.sums.empty() ? std::string_view() : event.envelope.event_id();
      for (Change& change : (*changes)[i]) {
        batches[i].changes.push_back({partition, event.message.offset, std::move(change), std::string(id)});
      }
    }
  }
  return batches;
}

Runner::Runner(const kafka::ConsumerSettings& kafka, const std::string& group, std::vector<Route> routes,
               const std::vector<std::string>& topics)
    : group_(group),
      routes_(std::move(routes)),
      newest_micros_(kNothingYet),
      dead_letters_(kafka, group),
      consumer_(Patient(kafka), group, topics.empty() ? TopicsOf(routes_) : topics,
                kafka::Consumer::Start::kEarliest,
                [this](std::span<const kafka::Message> messages) { return Handle(messages); }) {
  for (const Route& route : routes_) {
    changes_.push_back(&telemetry::Counter("projection_changes_total",
                                           "Changes of rows that a projection made of events and stored.",
                                           {{"projection", route.projection.name}}));
  }
}

absl::Time Runner::newest_occurred_at() const {
  const std::int64_t micros = newest_micros_;
  return micros == kNothingYet ? absl::InfinitePast() : absl::FromUnixMicros(micros);
}

absl::Status Runner::Handle(std::span<const kafka::Message> messages) {
  ASSIGN_OR_RETURN(std::vector<events::Event> events, events::ReadEvents(messages, dead_letters_));
  events::HandlingSpans spans(group_, events);
  absl::Status applied = Apply(messages, events);
  if (!applied.ok()) spans.Fail(applied);
  return applied;
}

absl::Status Runner::Apply(std::span<const kafka::Message> messages, std::span<const events::Event> events) {
  ASSIGN_OR_RETURN(std::vector<Batch> batches,
                   Project(routes_, events, [this](const kafka::Message& message, const absl::Status& why) {
                     return dead_letters_.Put(message, why);
                   }));
  Positions positions;
  for (const kafka::Message& message : messages)
    positions[{message.topic, message.partition}] = message.offset + 1;
  CrashPoint("projections.batch.read");
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    batches[i].positions = positions;
    RETURN_IF_ERROR(routes_[i].sink->Apply(routes_[i].projection, batches[i]));
    changes_[i]->Increment(static_cast<double>(batches[i].changes.size()));
  }
  for (const events::Event& event : events)
    newest_micros_ = std::max(newest_micros_.load(), absl::ToUnixMicros(event.envelope.occurred_at()));
  return absl::OkStatus();
}

}  // namespace bv::projections
