#include "libs/projections/rebuild.h"

#include <algorithm>
#include <mutex>
#include <thread>

#include "libs/base/crash_point.h"
#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/kafka/nice.h"

namespace bv::projections {
namespace {

kafka::ConsumerSettings Nice(kafka::ConsumerSettings settings) {
  settings.niceness = kNiceness;
  return settings;
}

std::int64_t PositionIn(const Positions& positions, const Partition& partition) {
  const auto found = positions.find(partition);
  return found == positions.end() ? 0 : found->second;
}

std::string NameOf(const Partition& partition) {
  return Concat(partition.topic, "/", partition.number);
}

absl::Status RefusedAt(const kafka::Message& message, const absl::Status& why) {
  const std::string field = GetErrorDetail(why).field;
  return Error(absl::StatusCode::kFailedPrecondition, "EVENT_REFUSED",
               Concat("the event of ", message.topic, "/", message.partition, " at offset ", message.offset,
                      " is refused: ", field, field.empty() ? "" : " ", Std(why.message())));
}

}  // namespace

Rebuild::Rebuild(const RebuildSettings& settings, Projection projection, MakeSink make_sink)
    : settings_(settings),
      routes_{{.projection = std::move(projection)}},
      make_sink_(std::move(make_sink)),
      reader_(Nice(settings.kafka), Concat("rebuild-", routes_[0].projection.name),
              settings.buffer_bytes / std::max(settings.workers_max, 1)) {}

ReadModel& Rebuild::SinkOf(std::size_t worker) {
  while (sinks_.size() <= worker) sinks_.push_back(make_sink_());
  return *sinks_[worker];
}

absl::Status Rebuild::Advance(const Positions& target) {
  // Whoever counts on `target` reads the positions again: what a store took it may have lost since.
  while (true) {
    if (stop_.stop_requested()) return absl::CancelledError("the rebuild was canceled");
    ASSIGN_OR_RETURN(const Positions reached, SinkOf(0).PositionsOf(routes_[0].projection));
    for (const auto& [partition, position] : reached) {
      if (position > PositionIn(target, partition)) {
        return Error(absl::StatusCode::kFailedPrecondition, "AHEAD",
                     Concat("the rows have come to offset ", position, " of ", NameOf(partition), ", beyond ",
                            PositionIn(target, partition)));
      }
    }
    std::vector<Part> parts;
    for (const auto& [partition, end] : target) {
      const std::int64_t begin = PositionIn(reached, partition);
      if (begin < end) parts.push_back({partition, {begin, end}});
    }
    if (parts.empty()) return absl::OkStatus();
    // The longest first, so that none of them is left over at the end.
    std::ranges::stable_sort(parts, std::greater(),
                             [](const Part& part) { return part.range.end - part.range.begin; });
    RETURN_IF_ERROR(Apply(parts));
  }
}

absl::Status Rebuild::Apply(const std::vector<Part>& parts) {
  const std::size_t workers =
      std::min<std::size_t>(parts.size(), static_cast<std::size_t>(std::max(settings_.workers_max, 1)));
  SinkOf(workers - 1);
  std::stop_source failed;
  const std::stop_callback canceled(stop_.get_token(), [&failed] { failed.request_stop(); });
  std::mutex mutex;
  absl::Status first;
  std::atomic<std::size_t> next = 0;
  const auto work = [&](ReadModel& sink) {
    kafka::BeNice(kNiceness);
    for (std::size_t i = next++; i < parts.size() && !failed.stop_requested(); i = next++) {
      const absl::Status applied = Apply(parts[i], sink, failed.get_token());
      if (applied.ok()) continue;
      const std::lock_guard lock(mutex);
      // Those that were stopped by it say nothing more.
      if (!failed.stop_requested()) first = applied;
      failed.request_stop();
    }
  };
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < workers; ++i)
      threads.emplace_back([&work, &sink = *sinks_[i]] { work(sink); });
  }
  if (stop_.stop_requested()) return absl::CancelledError("the rebuild was canceled");
  return first;
}

absl::Status Rebuild::Apply(const Part& part, ReadModel& sink, std::stop_token stop) {
  Batch batch;
  std::int64_t messages = 0;
  const auto store = [&](std::int64_t until) -> absl::Status {
    batch.positions = {{part.partition, until}};
    CrashPoint("projections.rebuild.read");
    RETURN_IF_ERROR(sink.Apply(routes_[0].projection, batch));
    CrashPoint("projections.rebuild.applied");
    applied_ += messages;
    batch = {};
    messages = 0;
    return absl::OkStatus();
  };
  const auto take = [&](std::span<const kafka::Message> taken) -> absl::Status {
    while (!taken.empty()) {
      const auto room = static_cast<std::size_t>(settings_.kafka.batch_max - messages);
      const std::span<const kafka::Message> together = taken.first(std::min(taken.size(), room));
      RETURN_IF_ERROR(Collect(together, batch));
      messages += static_cast<std::int64_t>(together.size());
      if (messages >= settings_.kafka.batch_max) RETURN_IF_ERROR(store(together.back().offset + 1));
      taken = taken.subspan(together.size());
    }
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(reader_.Read(part.partition.topic, part.partition.number, part.range, stop, take));
  // Behind the last message there may be offsets without one.
  return store(part.range.end);
}

absl::Status Rebuild::Collect(std::span<const kafka::Message> messages, Batch& batch) {
  const auto refuse = [this](const kafka::Message& message, const absl::Status& why) {
    if (!settings_.pass_over_refused) return RefusedAt(message, why);
    ++refused_;
    return absl::OkStatus();
  };
  // One by one, so that an event is gone again before the next is read.
  for (const kafka::Message& message : messages) {
    const absl::StatusOr<events::Event> event = events::ReadEvent(message);
    if (!event.ok()) {
      RETURN_IF_ERROR(refuse(message, event.status()));
      continue;
    }
    ASSIGN_OR_RETURN(std::vector<Batch> made, Project(routes_, {&*event, 1}, refuse));
    std::ranges::move(made[0].changes, std::back_inserter(batch.changes));
  }
  return absl::OkStatus();
}

}  // namespace bv::projections
