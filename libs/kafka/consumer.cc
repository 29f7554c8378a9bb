#include "libs/kafka/consumer.h"

#include <absl/synchronization/mutex.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "libs/base/clock.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/kafka/group_member.h"
#include "libs/kafka/nice.h"
#include "libs/resilience/backoff.h"
#include "libs/telemetry/telemetry.h"

namespace bv::kafka {
namespace {

using telemetry::Level;

// How long a stop or a wish of the group may wait for the polling thread.
constexpr absl::Duration kPoll = absl::Milliseconds(50);
constexpr absl::Duration kLeavePatience = absl::Seconds(5);
constexpr absl::Duration kWatch = absl::Seconds(1);
// Beside the number of messages, since a single one may have a megabyte.
constexpr std::size_t kBatchBytesMax = 4 << 20;
constexpr resilience::BackoffSettings kRepeat{.min = absl::Milliseconds(50), .max = absl::Seconds(10)};

std::size_t BytesOf(const Message& message) {
  return message.key.size() + message.value.size();
}

}  // namespace

void ConsumerSettings::Bind(config::Binder& b) {
  b.Text("kafka.brokers", brokers);
  b.Integer("kafka.batch_max", batch_max, {.min = 1, .max = 100'000});
  // A broker takes nothing below 6 s.
  b.Duration("kafka.session_timeout", session_timeout, {.min = absl::Seconds(6), .max = absl::Minutes(5)});
  b.Text("kafka.instance_id", instance_id, config::Presence::kOptional);
}

struct Consumer::Parts {
  enum class State { kRunning, kStopping, kAbandoned };

  Parts(const ConsumerSettings& consumer_settings, std::string consumer_group,
        std::vector<std::string> consumer_topics, Start consumer_start, Handle consumer_handle,
        std::optional<Journal> consumer_journal)
      : settings(consumer_settings),
        group(std::move(consumer_group)),
        topics(std::move(consumer_topics)),
        start(consumer_start),
        handle(std::move(consumer_handle)),
        journal(std::move(consumer_journal)) {
    for (const std::string& topic : topics) {
      lag_of_topic[topic] = &telemetry::Gauge(
          "consumer_lag", "Messages that stand in the member's partitions and are not handled.",
          {{"group", group}, {"topic", topic}});
    }
  }

  absl::StatusOr<std::unique_ptr<GroupMember>> Join();
  void End(State how);
  bool running() const { return state.load() == State::kRunning; }

  // The polling thread.
  void Poll();
  void Round();
  // True when messages may be handed over.
  bool WorkOnJournal();
  // Waits at most `patience` for the first message.
  void Gather(absl::Duration patience);
  void HandleBatch();
  // Until the batch comes again; the group is answered meanwhile.
  void PauseFor(absl::Duration pause);
  // Ends early when the consumer has to end.
  void WaitFor(absl::Duration duration);
  void Look();
  void Rejoin();
  // What waits, as metrics; true when nothing does. By both threads: `member` lives.
  bool TellBacklog();
  void Replace(std::unique_ptr<GroupMember> by);

  // The watching thread: it tells what the polling one cannot tell while it handles.
  void Watch();

  const ConsumerSettings settings;
  const std::string group;
  const std::vector<std::string> topics;
  const Start start;
  const Handle handle;
  const std::optional<Journal> journal;

  std::atomic<State> state{State::kRunning};
  absl::Mutex mutex;
  std::thread polling;
  std::thread watching;

  // Of the polling thread, which replaces it under the mutex: the watching one looks at it under it.
  std::unique_ptr<GroupMember> member;
  // Of the polling thread.
  std::vector<Message> batch;
  std::map<std::string, prometheus::Gauge*> lag_of_topic;
  resilience::Backoff repeat{kRepeat};

  // The infinite future while nothing is.
  std::atomic<absl::Time> handling_since{absl::InfiniteFuture()};
  std::atomic<absl::Time> caught_up_at{absl::InfinitePast()};

  const telemetry::Labels labels{{"group", group}};
  prometheus::Counter& handled =
      telemetry::Counter("consumer_handled_total", "Messages whose effect is durable.", labels);
  prometheus::Counter& failures =
      telemetry::Counter("consumer_failures_total", "Batches that failed and are handled again.", labels);
  prometheus::Gauge& oldest_seconds =
      telemetry::Gauge("consumer_oldest_unprocessed_seconds",
                       "Age of the oldest message of the member's partitions that is not handled.", labels);
  prometheus::Gauge& handling_seconds = telemetry::Gauge(
      "consumer_handling_seconds", "Since when the batch that is being handled is with its handler.", labels);
};

absl::StatusOr<std::unique_ptr<GroupMember>> Consumer::Parts::Join() {
  const auto revoked = [this] {
    batch.clear();
    if (journal) journal->forget();
  };
  return GroupMember::Join(settings, group, topics, start, revoked,
                           journal ? journal->topics : GroupMember::JournalTopics());
}

void Consumer::Parts::End(State how) {
  {
    const absl::MutexLock lock(&mutex);
    if (running()) state = how;
  }
  if (!polling.joinable()) return;
  polling.join();
  watching.join();
  oldest_seconds.Set(0);
}

void Consumer::Parts::Poll() {
  BeNice(settings.niceness);
  while (running()) {
    Round();
    if (!member->fatal().ok()) Rejoin();
  }
  if (state.load() == State::kStopping) member->Leave(MonotonicNow() + kLeavePatience);
  Replace(nullptr);
}

void Consumer::Parts::Round() {
  member->Serve();
  const bool may_handle = !journal || WorkOnJournal();
  // Also what may not be handled yet, so that it is known where the partitions stand and how old it is.
  if (batch.empty() || !may_handle) Gather(may_handle ? kPoll : absl::ZeroDuration());
  if (may_handle && !batch.empty()) HandleBatch();
  Look();
}

bool Consumer::Parts::WorkOnJournal() {
  absl::Duration patience = member->journals_read() ? absl::ZeroDuration() : kPoll;
  while (std::optional<Message> record = member->TakeJournal(patience)) {
    journal->read(*std::move(record));
    patience = absl::ZeroDuration();
  }
  if (!member->journals_read()) return false;
  handling_since = MonotonicNow();
  journal->work();
  handling_since = absl::InfiniteFuture();
  for (const auto& [partition, taken] : member->journals_taken())
    member->JournalDone(partition, journal->keep_from(partition.first, partition.second, taken));
  return true;
}

void Consumer::Parts::Gather(absl::Duration patience) {
  std::size_t bytes = 0;
  for (const Message& message : batch) bytes += BytesOf(message);
  while (batch.size() < static_cast<std::size_t>(settings.batch_max) && bytes < kBatchBytesMax) {
    std::optional<Message> message = member->Take(patience);
    if (!message) break;
    bytes += BytesOf(*message);
    batch.push_back(*std::move(message));
    patience = absl::ZeroDuration();
  }
}

void Consumer::Parts::HandleBatch() {
  handling_since = MonotonicNow();
  const absl::Status status = handle(batch);
  handling_since = absl::InfiniteFuture();
  if (status.ok()) {
    member->Handled(batch);
    handled.Increment(static_cast<double>(batch.size()));
    batch.clear();
    repeat.Reset();
    return;
  }
  failures.Increment();
  const absl::Duration pause = *repeat.Next();
  telemetry::LogLimited(Level::kWarn, "a batch of messages was not handled and comes again",
                        {{"group", group},
                         {"messages", static_cast<std::int64_t>(batch.size())},
                         {"topic", batch.front().topic},
                         {"partition", batch.front().partition},
                         {"offset", batch.front().offset},
                         {"pause", pause},
                         {"error", status}});
  PauseFor(pause);
}

void Consumer::Parts::PauseFor(absl::Duration pause) {
  const absl::Time end = MonotonicNow() + pause;
  while (running() && !batch.empty() && MonotonicNow() < end) {
    WaitFor(std::min(kPoll, end - MonotonicNow()));
    member->Serve();
  }
}

void Consumer::Parts::WaitFor(absl::Duration duration) {
  const auto ended = [this] { return !running(); };
  const absl::MutexLock lock(&mutex);
  mutex.AwaitWithTimeout(absl::Condition(&ended), duration);
}

void Consumer::Parts::Look() {
  const bool nothing_waits = TellBacklog();
  if (batch.empty() && nothing_waits && member->up_to_date()) caught_up_at = MonotonicNow();
}

bool Consumer::Parts::TellBacklog() {
  const GroupMember::Backlog backlog = member->Look();
  for (const auto& [topic, gauge] : lag_of_topic) {
    const auto found = backlog.lag.find(topic);
    gauge->Set(found == backlog.lag.end() ? 0 : static_cast<double>(found->second));
  }
  // Messages have the wall clock's time.
  const absl::Time now = absl::Now();
  oldest_seconds.Set(absl::ToDoubleSeconds(now - std::min(backlog.oldest, now)));
  return std::ranges::all_of(backlog.lag, [](const auto& entry) { return entry.second == 0; });
}

void Consumer::Parts::Replace(std::unique_ptr<GroupMember> by) {
  const absl::MutexLock lock(&mutex);
  // The one before ends with `by`, after the lock.
  std::swap(member, by);
}

void Consumer::Parts::Rejoin() {
  telemetry::LogLimited(Level::kError, "a consumer joins its group anew",
                        {{"group", group}, {"error", member->fatal()}});
  WaitFor(*repeat.Next());
  // Or the group waits for the old one until its session is over.
  member->Leave(MonotonicNow() + kLeavePatience);
  absl::StatusOr<std::unique_ptr<GroupMember>> again = Join();
  if (!again.ok()) return;
  batch.clear();
  if (journal) journal->forget();
  Replace(*std::move(again));
}

void Consumer::Parts::Watch() {
  const auto ended = [this] { return !running(); };
  const absl::MutexLock lock(&mutex);
  while (!mutex.AwaitWithTimeout(absl::Condition(&ended), kWatch)) {
    if (member) TellBacklog();
    const absl::Duration busy = MonotonicNow() - std::min(handling_since.load(), MonotonicNow());
    handling_seconds.Set(absl::ToDoubleSeconds(busy));
    if (busy > settings.session_timeout) {
      telemetry::LogLimited(Level::kWarn, "a batch of messages is being handled for long",
                            {{"group", group}, {"since", busy}});
    }
  }
}

Consumer::Consumer(const ConsumerSettings& settings, std::string group, std::vector<std::string> topics,
                   Start start, Handle handle, std::optional<Journal> journal)
    : parts_(std::make_unique<Parts>(settings, std::move(group), std::move(topics), start, std::move(handle),
                                     std::move(journal))) {}

Consumer::~Consumer() {
  parts_->End(Parts::State::kAbandoned);
}

absl::Status Consumer::Run() {
  absl::StatusOr<std::unique_ptr<GroupMember>> joined;
  // On a thread of its own: those of librdkafka are as nice as the one that makes them.
  std::thread([&] {
    BeNice(parts_->settings.niceness);
    joined = parts_->Join();
  }).join();
  ASSIGN_OR_RETURN(parts_->member, std::move(joined));
  parts_->polling = std::thread([parts = parts_.get()] { parts->Poll(); });
  parts_->watching = std::thread([parts = parts_.get()] { parts->Watch(); });
  return absl::OkStatus();
}

void Consumer::Stop() {
  parts_->End(Parts::State::kStopping);
}

bool Consumer::caught_up_lately() const {
  return MonotonicNow() - parts_->caught_up_at.load() <= parts_->settings.session_timeout;
}

}  // namespace bv::kafka
