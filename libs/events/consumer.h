// A consumer of events: at least once, in order per key, offsets after the effect; what fails is tried again
// later without holding up the others.
//
//   Consumer consumer(settings,
//                     {.group = "projection-orders",
//                      .topics = {TypeOf<OrderCreated>().topic},
//                      .types = TypeNames<OrderCreated, OrderPaid>()},
//                     [&](std::span<const Event> events) -> absl::StatusOr<std::vector<Answer>> {
//                       RETURN_IF_ERROR(Store(events));   // one transaction
//                       return AllDone(events);
//                     });
//   RETURN_IF_ERROR(consumer.Start());
//   …
//   consumer.Stop();
//
// Each topic needs `<topic>.<group>.retry` (as many partitions as the topic, compacted) and
// `<topic>.<group>.dlq` in deploy/kafka/topics.yaml. Until the retry topic is there, nothing of the group is
// handled. README.md says what an operator sees.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libs/events/envelope.h"
#include "libs/events/event_type.h"
#include "libs/kafka/consumer.h"

namespace bv::events {

// What became of an event.
class Answer {
 public:
  enum class Kind { kDone, kRefused, kFailed };

  // Its effect is durable, or it had none.
  static Answer Done() { return {Kind::kDone, absl::OkStatus()}; }
  // It can never be handled: a dead letter at once. Its key goes on.
  static Answer Refused(absl::Status why) { return {Kind::kRefused, std::move(why)}; }
  // It had no effect now and may have one later; see Consumer for what follows.
  static Answer Failed(absl::Status why) { return {Kind::kFailed, std::move(why)}; }

  Kind kind() const { return kind_; }
  const absl::Status& why() const { return why_; }

 private:
  Answer(Kind kind, absl::Status why) : kind_(kind), why_(std::move(why)) {}

  Kind kind_;
  absl::Status why_;
};

// One answer an event, in their order.
using Answers = std::vector<Answer>;
Answers AllDone(std::span<const Event> events);

// True for what says nothing of the event that was handled, but that something else is away or busy:
// UNAVAILABLE, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, ABORTED, CANCELLED.
bool IsPassing(const absl::Status& status);

// The names of the types whose payloads the messages are.
template <class... Payloads>
std::set<std::string, std::less<>> TypeNames() {
  return {TypeOf<Payloads>().name...};
}

// "ecommerce.order.order" and "cart" → "ecommerce.order.order.cart.retry".
std::string RetryTopic(std::string_view topic, std::string_view group);

struct ConsumerOptions {
  std::string group;
  // All of one group subscribe to the same.
  std::vector<std::string> topics;
  // The event types that `handle` knows. Others, also a later major version (".v2"), are passed over and
  // counted.
  std::set<std::string, std::less<>> types;
  // True: no two events of one key are handed over at once, for a handler that works on all of them at the
  // same time. False: it works in their order, and once an event has failed it answers Failed for the later
  // ones of its key, too.
  bool one_of_a_key = false;

  // Pauses before an event that fails is handed over again at once, its partition waiting.
  std::vector<absl::Duration> short_pauses = {absl::Milliseconds(50), absl::Milliseconds(200),
                                              absl::Seconds(1)};
  // Pauses before its later attempts, when its partition has gone on; after the last it is a dead letter.
  std::vector<absl::Duration> retry_pauses = {absl::Seconds(5), absl::Seconds(30), absl::Minutes(2),
                                              absl::Minutes(10)};
  // What may be parked in one member, dead letters' followers included. Above it nothing new is parked: the
  // batch waits, and its partitions with it.
  std::int64_t parked_bytes_max = 64 << 20;
};

// One thread calls `handle`. A batch has events of several partitions; those of one
// partition are in its order, repeats after a crash or rebalance apart. `handle` answers
//
//   a status that IsPassing    nothing can be handled now: the same batch comes again after a pause that
//                              grows (50 ms to 10 s), for as long as it takes
//   another status             events of the batch are handed over one by one, so that it is known which of
//                              them fails
//   answers                    Done, Refused, or Failed, each on its own. Failed with a status that IsPassing
//                              counts as if it were that of the batch
//
// An event that failed comes again after each of the short pauses, alone. Then it is parked: it stands in the
// retry topic, and so does every later event of its key, in their order, while all other keys go on. It is
// handed over again after each of the retry pauses; the first success frees the key when its followers are
// handled, too. After the last failure it becomes a dead letter and its key stays parked, until `tools/bv dlq
// redrive` has it tried again or `drop` gives it up.
//
// What is parked outlives restarts and rebalances: a member that gets a partition reads the partition's retry
// topic before anything else. `handle` may see an event twice, also after later ones of its key when a member
// hung (README.md), and must be idempotent: by the state that it finds, or by `aggregateVersion`. While
// `handle` runs the group waits with its rebalances, so every wait in it needs a deadline. Thread safe.
class Consumer {
 public:
  using Handle = std::function<absl::StatusOr<Answers>(std::span<const Event>)>;

  // Begins at the first event when the group has no offsets.
  Consumer(const kafka::ConsumerSettings& settings, ConsumerOptions options, Handle handle);
  // Without Stop before: ends as a crash would.
  ~Consumer();
  Consumer(const Consumer&) = delete;
  Consumer& operator=(const Consumer&) = delete;

  // Returns at once; the broker and the topics may come later. INVALID_ARGUMENT for settings that cannot be.
  absl::Status Start();
  // Returns when the batch that is being handled has ended and its offsets are committed. What is parked
  // stays in the retry topic.
  void Stop();

  // See kafka::Consumer: all that stood in the partitions was handled or parked, not long ago.
  bool caught_up_lately() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace bv::events
