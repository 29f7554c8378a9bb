#include "libs/events/consumer.h"

#include <absl/synchronization/mutex.h>

#include "libs/base/clock.h"
#include "libs/base/crash_point.h"
#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/events/consumer_metrics.h"
#include "libs/events/consumer_retry_queue.h"
#include "libs/events/handling_spans.h"
#include "libs/kafka/dead_letters.h"
#include "libs/resilience/backoff.h"
#include "libs/telemetry/telemetry.h"

namespace bv::events {
namespace {

// Parked events that are handed over at once, and for how long at a time, so that the topics have their turn.
constexpr std::size_t kRetryBatchMax = 100;
constexpr absl::Duration kRetryTurn = absl::Seconds(1);
constexpr resilience::BackoffSettings kOutage{.min = absl::Milliseconds(100), .max = absl::Seconds(10)};

absl::StatusOr<Event> Read(const kafka::Message& message, bool retried) {
  ASSIGN_OR_RETURN(Envelope envelope, ParseEnvelope(message.value));
  ASSIGN_OR_RETURN(RequestContext context, ContextOf(message));
  return Event{message, std::move(envelope), std::move(context), retried};
}

// Waves in which no key comes twice; those of a key keep their order.
std::vector<std::vector<Event>> WavesOf(std::vector<Event> events, bool one_of_a_key) {
  std::vector<std::vector<Event>> waves;
  std::map<Parked::Key, std::size_t> seen;
  for (Event& event : events) {
    const std::size_t wave = one_of_a_key ? seen[Parked::KeyOf(event.message)]++ : 0;
    if (wave == waves.size()) waves.emplace_back();
    waves[wave].push_back(std::move(event));
  }
  return waves;
}

}  // namespace

struct Consumer::Parts {
  Parts(const kafka::ConsumerSettings& settings, ConsumerOptions consumer_options, Handle consumer_handle);
  kafka::Journal Journal();
  void Stop();

  // A batch of the topics.
  absl::Status Take(std::span<const kafka::Message> messages);
  // What is to be handed over of it; the rest is set aside or passed over.
  absl::StatusOr<std::vector<Event>> Sort(std::span<const kafka::Message> messages);
  absl::Status HandOver(std::vector<Event> events);
  absl::Status HandOverAlone(Event event);
  // Puts the refused among the dead letters, and hands over again what failed, until it is parked.
  absl::Status Conclude(std::vector<Event> events, Answers answers);
  // The answers of `handle`; the status that makes the batch come again, or means that each is to be asked
  // for alone.
  absl::StatusOr<Answers> Call(std::span<Event> events);
  // None: each is to be asked for alone. Not OK: nothing can be handled now.
  absl::StatusOr<Answers> Ask(std::span<Event> events);

  // What is parked and due.
  void Work();
  absl::Status Retry(const std::vector<const ParkedEvent*>& due);
  absl::StatusOr<Answers> AskForEach(std::span<Event> events);

  absl::Status PutDeadLetter(const kafka::Message& message, const absl::Status& why, int attempts);
  // Parks them behind an earlier one of their key.
  absl::Status Follow(std::span<const kafka::Message* const> messages);
  absl::Status Park(const std::vector<Event>& events, const std::vector<absl::Status>& whys, int attempts);
  // The event after one attempt more that has failed: when it comes again, or that it is a dead letter.
  absl::Status Fail(ParkedEvent& event, const absl::Status& why);
  absl::Status Store(std::vector<ParkedEvent> events);

  // False when the consumer stops meanwhile.
  bool WaitFor(absl::Duration pause);

  const ConsumerOptions options;
  const Handle handle;
  absl::Mutex mutex;
  bool stopping = false;

  // Of the consumer's thread.
  RetryQueue queue;
  kafka::DeadLetters dead_letters;
  resilience::Backoff outage{kOutage};
  absl::Time retry_not_before = absl::InfinitePast();
  ConsumerMetrics metrics;

  kafka::Consumer consumer;
};

Consumer::Parts::Parts(const kafka::ConsumerSettings& settings, ConsumerOptions consumer_options,
                       Handle consumer_handle)
    : options(std::move(consumer_options)),
      handle(std::move(consumer_handle)),
      queue(settings, options.group, options.topics),
      dead_letters(settings, options.group),
      metrics(options.group, options.topics),
      consumer(
          settings, options.group, options.topics, kafka::Consumer::Start::kEarliest,
          [this](std::span<const kafka::Message> messages) { return Take(messages); }, Journal()) {}

kafka::Journal Consumer::Parts::Journal() {
  return {
      .topics = queue.topics(),
      .read = [this](const kafka::Message& record) { queue.Read(record); },
      .forget = [this] { queue.Forget(); },
      .work = [this] { Work(); },
      .keep_from = [this](const std::string& topic, int partition,
                          std::int64_t read_up_to) { return queue.KeepFrom(topic, partition, read_up_to); }};
}

void Consumer::Parts::Stop() {
  const absl::MutexLock lock(&mutex);
  stopping = true;
}

absl::Status Consumer::Parts::Take(std::span<const kafka::Message> messages) {
  RETURN_IF_ERROR(queue.Settle());
  ASSIGN_OR_RETURN(std::vector<Event> events, Sort(messages));
  for (std::vector<Event>& wave : WavesOf(std::move(events), options.one_of_a_key))
    RETURN_IF_ERROR(HandOver(std::move(wave)));
  CrashPoint("events.consumer.handled");
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Event>> Consumer::Parts::Sort(std::span<const kafka::Message> messages) {
  std::vector<Event> events;
  std::vector<const kafka::Message*> followers;
  for (const kafka::Message& message : messages) {
    absl::StatusOr<Event> event = Read(message, /*retried=*/false);
    if (event.ok() && !options.types.contains(event->envelope.type())) {
      metrics.Count(message, "passed_over");
    } else if (queue.parked().HoldsKey(message)) {
      followers.push_back(&message);
    } else if (event.ok()) {
      events.push_back(*std::move(event));
    } else {
      RETURN_IF_ERROR(PutDeadLetter(message, event.status(), 1));
    }
  }
  RETURN_IF_ERROR(Follow(followers));
  return events;
}

absl::Status Consumer::Parts::HandOver(std::vector<Event> events) {
  std::vector<Event> free;
  std::vector<const kafka::Message*> followers;
  for (Event& event : events) {
    // The wave before may have parked it.
    if (queue.parked().HoldsKey(event.message)) {
      followers.push_back(&event.message);
    } else {
      free.push_back(std::move(event));
    }
  }
  RETURN_IF_ERROR(Follow(followers));
  if (free.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(Answers answers, Ask(free));
  if (!answers.empty()) return Conclude(std::move(free), std::move(answers));
  for (Event& event : free) RETURN_IF_ERROR(HandOverAlone(std::move(event)));
  return absl::OkStatus();
}

absl::Status Consumer::Parts::HandOverAlone(Event event) {
  if (queue.parked().HoldsKey(event.message)) {
    const kafka::Message* const follower = &event.message;
    return Follow({&follower, 1});
  }
  std::vector<Event> alone;
  alone.push_back(std::move(event));
  ASSIGN_OR_RETURN(Answers answers, AskForEach(alone));
  return Conclude(std::move(alone), std::move(answers));
}

absl::Status Consumer::Parts::Conclude(std::vector<Event> events, Answers answers) {
  for (std::size_t round = 0;; ++round) {
    const int attempts = static_cast<int>(round) + 1;
    std::vector<Event> failed;
    std::vector<absl::Status> whys;
    for (std::size_t i = 0; i < events.size(); ++i) {
      if (answers[i].kind() == Answer::Kind::kFailed) {
        failed.push_back(std::move(events[i]));
        whys.push_back(answers[i].why());
      } else if (answers[i].kind() == Answer::Kind::kRefused) {
        RETURN_IF_ERROR(PutDeadLetter(events[i].message, answers[i].why(), attempts));
      } else {
        metrics.Count(events[i].message, "done");
      }
    }
    if (failed.empty()) return absl::OkStatus();
    if (round == options.short_pauses.size()) return Park(failed, whys, attempts);
    if (!WaitFor(options.short_pauses[round])) return absl::CancelledError("the consumer stops");
    events = std::move(failed);
    ASSIGN_OR_RETURN(answers, AskForEach(events));
  }
}

absl::StatusOr<Answers> Consumer::Parts::Call(std::span<Event> events) {
  HandlingSpans spans(options.group, events);
  absl::StatusOr<Answers> answers = handle(events);
  if (!answers.ok()) {
    spans.Fail(answers.status());
    return answers;
  }
  if (answers->size() != events.size()) {
    return absl::InternalError(Concat(answers->size(), " answers for ", events.size(), " events"));
  }
  absl::Status passing;
  for (std::size_t i = 0; i < answers->size(); ++i) {
    const Answer& answer = (*answers)[i];
    if (answer.kind() == Answer::Kind::kDone) continue;
    spans.Fail(i, answer.why());
    if (answer.kind() == Answer::Kind::kFailed && IsPassing(answer.why())) passing.Update(answer.why());
  }
  if (!passing.ok()) return passing;
  return answers;
}

absl::StatusOr<Answers> Consumer::Parts::Ask(std::span<Event> events) {
  absl::StatusOr<Answers> answers = Call(events);
  if (answers.ok() || IsPassing(answers.status())) return answers;
  if (events.size() > 1) return Answers();
  return Answers{Answer::Failed(answers.status())};
}

absl::StatusOr<Answers> Consumer::Parts::AskForEach(std::span<Event> events) {
  ASSIGN_OR_RETURN(Answers answers, Ask(events));
  if (!answers.empty()) return answers;
  std::set<Parked::Key> failed;
  for (Event& event : events) {
    if (failed.contains(Parked::KeyOf(event.message))) {
      answers.push_back(
          Answer::Failed(absl::FailedPreconditionError("an earlier one of its key has failed")));
      continue;
    }
    ASSIGN_OR_RETURN(const Answers alone, Ask({&event, 1}));
    if (alone.front().kind() == Answer::Kind::kFailed) failed.insert(Parked::KeyOf(event.message));
    answers.push_back(alone.front());
  }
  return answers;
}

void Consumer::Parts::Work() {
  metrics.Tell(queue.parked());
  const absl::Time begin = MonotonicNow();
  if (begin < retry_not_before) return;
  while (MonotonicNow() - begin < kRetryTurn && WaitFor(absl::ZeroDuration())) {
    const std::vector<const ParkedEvent*> due = queue.parked().Due(absl::Now(), kRetryBatchMax);
    if (due.empty()) return;
    if (const absl::Status retried = Retry(due); !retried.ok()) {
      telemetry::LogLimited(telemetry::Level::kWarn, "parked events were not handled and come again",
                            {{"group", options.group}, {"error", retried}});
      retry_not_before = MonotonicNow() + *outage.Next();
      return;
    }
    outage.Reset();
  }
}

absl::Status Consumer::Parts::Retry(const std::vector<const ParkedEvent*>& due) {
  std::vector<ParkedEvent> parked;
  for (const ParkedEvent* event : due) parked.push_back(*event);
  std::vector<ParkedEvent> finished;
  std::vector<ParkedEvent> failed;
  std::vector<Event> events;
  std::vector<const ParkedEvent*> of_events;
  for (const ParkedEvent& event : parked) {
    absl::StatusOr<Event> read = Read(event.message, /*retried=*/true);
    if (read.ok()) {
      events.push_back(*std::move(read));
      of_events.push_back(&event);
    } else {
      RETURN_IF_ERROR(PutDeadLetter(event.message, read.status(), event.attempts + 1));
      finished.push_back(event);
    }
  }
  Answers answers;
  if (!events.empty()) {
    ASSIGN_OR_RETURN(answers, AskForEach(events));
  }
  for (std::size_t i = 0; i < answers.size(); ++i) {
    ParkedEvent event = *of_events[i];
    if (answers[i].kind() == Answer::Kind::kFailed) {
      RETURN_IF_ERROR(Fail(event, answers[i].why()));
      failed.push_back(std::move(event));
      continue;
    }
    if (answers[i].kind() == Answer::Kind::kRefused) {
      RETURN_IF_ERROR(PutDeadLetter(event.message, answers[i].why(), event.attempts + 1));
    } else {
      metrics.Count(event.message, "done");
    }
    finished.push_back(std::move(event));
  }
  RETURN_IF_ERROR(queue.Put(std::move(failed)));
  CrashPoint("events.consumer.retried");
  return queue.Finish(finished);
}

absl::Status Consumer::Parts::PutDeadLetter(const kafka::Message& message, const absl::Status& why,
                                            int attempts) {
  const absl::StatusOr<Envelope> envelope = ParseEnvelope(message.value);
  const std::string number = Concat(attempts);
  const kafka::Header headers[] = {
      {.name = "group", .value = options.group},
      {.name = "attempts", .value = number},
      {.name = "eventId", .value = envelope.ok() ? envelope->event_id() : std::string_view()}};
  RETURN_IF_ERROR(dead_letters.Put(message, why, headers));
  metrics.Count(message, "dead_letter");
  return absl::OkStatus();
}

absl::Status Consumer::Parts::Follow(std::span<const kafka::Message* const> messages) {
  std::vector<ParkedEvent> followers;
  for (const kafka::Message* message : messages) {
    // A batch that comes again may have been parked already.
    if (queue.parked().Find(message->topic, message->partition, message->offset) == nullptr)
      followers.push_back({.message = *message});
  }
  return Store(std::move(followers));
}

absl::Status Consumer::Parts::Park(const std::vector<Event>& events, const std::vector<absl::Status>& whys,
                                   int attempts) {
  std::vector<ParkedEvent> parked;
  std::set<Parked::Key> keys;
  for (std::size_t i = 0; i < events.size(); ++i) {
    ParkedEvent event{.message = events[i].message, .attempts = attempts - 1};
    // The later ones of a key have their attempts before them.
    if (keys.insert(Parked::KeyOf(event.message)).second) RETURN_IF_ERROR(Fail(event, whys[i]));
    parked.push_back(std::move(event));
  }
  return Store(std::move(parked));
}

absl::Status Consumer::Parts::Fail(ParkedEvent& event, const absl::Status& why) {
  ++event.attempts;
  event.why = Concat(absl::StatusCodeToString(why.code()), ": ", Std(why.message())).substr(0, 2'000);
  if (static_cast<std::size_t>(event.pauses) < options.retry_pauses.size()) {
    event.due = absl::Now() + options.retry_pauses[static_cast<std::size_t>(event.pauses++)];
    metrics.Count(event.message, "failed");
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(PutDeadLetter(event.message, why, event.attempts));
  event.dead = true;
  return absl::OkStatus();
}

absl::Status Consumer::Parts::Store(std::vector<ParkedEvent> events) {
  std::int64_t bytes = queue.parked().bytes();
  for (const ParkedEvent& event : events) bytes += BytesOf(event.message);
  if (!events.empty() && bytes > options.parked_bytes_max) {
    return Error(absl::StatusCode::kResourceExhausted, "PARKED_FULL",
                 Concat("more than ", options.parked_bytes_max, " bytes are parked: see tools/bv dlq"));
  }
  for (const ParkedEvent& event : events) metrics.Count(event.message, "parked");
  return queue.Put(std::move(events));
}

bool Consumer::Parts::WaitFor(absl::Duration pause) {
  const absl::MutexLock lock(&mutex);
  return !mutex.AwaitWithTimeout(absl::Condition(&stopping), pause);
}

Consumer::Consumer(const kafka::ConsumerSettings& settings, ConsumerOptions options, Handle handle)
    : parts_(std::make_unique<Parts>(settings, std::move(options), std::move(handle))) {}

Consumer::~Consumer() {
  parts_->Stop();
}

absl::Status Consumer::Start() {
  return parts_->consumer.Run();
}

void Consumer::Stop() {
  parts_->Stop();
  parts_->consumer.Stop();
}

bool Consumer::caught_up_lately() const {
  return parts_->consumer.caught_up_lately();
}

}  // namespace bv::events
