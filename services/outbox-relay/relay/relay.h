// The thread that publishes: one session after another, with waits between them.
#pragma once

#include <absl/status/status.h>

#include <thread>
#include <vector>

#include "libs/kafka/topics.h"
#include "services/outbox-relay/relay/metrics.h"
#include "services/outbox-relay/relay/stop_signal.h"
#include "services/outbox-relay/settings.h"
#include "services/outbox-relay/store/outbox_store.h"

namespace bv::relay {

class Relay {
 public:
  // Everything passed by reference outlives it.
  Relay(const Settings& settings, std::vector<kafka::TopicSpec> topics, Metrics& metrics,
        const StopSignal& stop);
  // Waits for the thread, so the stop signal has to be set.
  ~Relay();

  // Makes the slot and the topics, for as long as it takes; from the slot on, no event is missed. CANCELLED
  // when stopped.
  absl::Status Prepare();
  // Publishes until the stop signal.
  void Start();
  // Until the thread has ended, which is soon after the stop signal's deadline.
  void Join();

 private:
  void Publish();
  absl::Status PrepareOnce();

  const Settings& settings_;
  const std::vector<kafka::TopicSpec> topics_;
  Metrics& metrics_;
  const StopSignal& stop_;
  OutboxStore store_;
  std::thread thread_;
};

}  // namespace bv::relay
