// A consumer of a group: at least once, in order per partition, offsets committed after the effect.
//
//   Consumer consumer(settings, "cart", {"ecommerce.inventory.reservation"}, Consumer::Start::kEarliest,
//                     [&](std::span<const Message> messages) { return Store(messages); });
//   RETURN_IF_ERROR(consumer.Run());
//   …
//   consumer.Stop();
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "libs/config/config.h"

namespace bv::kafka {

struct ConsumerSettings {
  // "127.0.0.1:9092,…"
  std::string brokers;
  // Messages handed over at once, at most.
  int batch_max = 500;
  // How long the group waits for a member that does not answer, and a member for partitions that it was given
  // and that do not begin.
  absl::Duration session_timeout = absl::Seconds(10);
  // A name that no other member of the group has at the same time, and that a process keeps over its
  // restarts: when it is back within the session's time-out it has its partitions again, and the others
  // notice nothing. Empty: a member is new at every start.
  std::string instance_id;
  // How long a batch may be handled before the group gives the partitions to others; not less than
  // session_timeout. Set by the owner, not by Bind.
  absl::Duration handle_max = absl::Minutes(5);
  // How long a broker may hold back messages while there are few, so that they come in larger batches, which
  // cost less; 0: not at all. Set by the owner, not by Bind.
  absl::Duration gather_max = absl::ZeroDuration();
  // 0 to 19, of the consumer's threads: above 0 they give way to those that answer requests, when there is
  // not enough processor time for both. Set by the owner, not by Bind.
  int niceness = 0;

  // kafka.brokers, kafka.batch_max, kafka.session_timeout, kafka.instance_id (may be empty)
  void Bind(config::Binder& b);
};

struct Message {
  std::string topic;
  int partition = 0;
  std::int64_t offset = 0;
  std::string key;
  std::string value;
  // Headers by name; the last one of a name counts.
  std::map<std::string, std::string, std::less<>> headers;
  // When it was written, by the producer's clock or, where the topic says so, the broker's.
  absl::Time written_at;
};

// What a consumer keeps for itself in a topic beside each of its own: partition by partition, so that whoever
// has a partition has its journal. All functions are called by the consumer's thread.
struct Journal {
  // The journal of each topic, by topic. It has as many partitions as the topic; until it is there nothing of
  // the topic is handed over.
  std::map<std::string, std::string> topics;
  // A record of it. What stood there when the partitions were assigned is read before anything is handed
  // over.
  std::function<void(Message)> read;
  // The partitions have gone, and with them what was read.
  std::function<void()> forget;
  // Between batches, and every 50 ms or so without any, once all was read.
  std::function<void()> work;
  // Where the next member has to begin to read this partition of a journal; at most `read_up_to`, what this
  // one has read.
  std::function<std::int64_t(const std::string& journal, int partition, std::int64_t read_up_to)> keep_from;
};

// One thread that polls and calls `handle`. Messages of one partition come in order; those of several
// partitions may be in one batch. `handle` returns OK when the effect of every message of the batch is
// durable; any other status and the same batch is handed over again after a pause that grows (jitter, at most
// 10 s), for as long as it takes, so that nothing is passed over: a message that can never be handled is for
// the handler to put aside (see DeadLetters). What has gone to another member meanwhile is left out of the
// repeat. It may see a message twice (after a crash or a rebalance) and must be idempotent. While `handle`
// runs the group waits with its rebalances, so every wait in it needs a deadline.
class Consumer {
 public:
  using Handle = std::function<absl::Status(std::span<const Message>)>;
  // Where a group begins that has no offset yet.
  enum class Start { kEarliest, kLatest };

  Consumer(const ConsumerSettings& settings, std::string group, std::vector<std::string> topics, Start start,
           Handle handle, std::optional<Journal> journal = std::nullopt);
  // Waits for the batch that is being handled, if any. Without Stop before: ends as a crash would, and the
  // group goes on at the last offset that was committed.
  ~Consumer();
  Consumer(const Consumer&) = delete;
  Consumer& operator=(const Consumer&) = delete;

  // Returns at once; the broker and the topics may come later. INVALID_ARGUMENT for settings that librdkafka
  // refuses.
  absl::Status Run();
  // Returns when the batch that is being handled has ended and its offsets are committed, or, with the
  // brokers away, after some seconds. A batch that waits for its repeat is left to the next member.
  void Stop();

  // Connected, with partitions assigned, and at some moment not longer ago than the session's time-out
  // everything that stood in them had been handled: what was not heard of by then did not happen. Thread
  // safe.
  bool caught_up_lately() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace bv::kafka
