// Follows topics whole, without a group: for a process that has to see everything itself, as each replica of
// one that holds its clients' connections does.
//
//   Follower follower(settings, {.client_id = "notification", .topics = {…}, .history = absl::Minutes(5)},
//                     [&](std::span<const Message> messages) { hub.Publish(messages); });
//   RETURN_IF_ERROR(follower.Start());
//   …
//   follower.Stop();
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "libs/kafka/consumer.h"

namespace bv::kafka {

// One thread reads every partition that the topics have when it begins, and calls `handle`. Messages of one
// partition come in order; those of several partitions may be in one batch. Nothing is committed: each start
// begins `history` ago. After a loss of the brokers it goes on where it was. What was deleted before it came
// to it is passed over, with an error in the log. At most 16 MiB of messages, and one answer of a broker (1
// MiB, or one batch, and what that becomes when it is unpacked), wait in memory while `handle` runs.
class Follower {
 public:
  struct Options {
    // What brokers and metrics call it.
    std::string client_id;
    std::vector<std::string> topics;
    // Begins with the first message written so long ago or later; the infinite duration: with the oldest one
    // that is kept.
    absl::Duration history;
  };
  // Cannot fail: what it cannot use it passes over. At most settings.batch_max messages at once; a lone one
  // comes at once.
  using Handle = std::function<void(std::span<const Message>)>;

  // Of the settings the brokers, batch_max, session_timeout (after which a silent broker is given up) and
  // niceness are used.
  Follower(const ConsumerSettings& settings, Options options, Handle handle);
  // Stops.
  ~Follower();
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  // Returns at once; the brokers and the topics may come later. INVALID_ARGUMENT for settings that librdkafka
  // refuses.
  absl::Status Start();
  // Returns when the batch that is being handled has ended, and some seconds later at most when the brokers
  // are away. `handle` is not called afterwards.
  void Stop();

  // All that stood in the partitions when it began, or when it last found the brokers again, was handled, and
  // no error has come since. From any thread.
  bool caught_up() const;

  // By topic and partition, the offset that it begins with; complete once it has caught up. From any thread.
  std::map<std::pair<std::string, int>, std::int64_t> begins() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace bv::kafka
