// Takes the devices' messages from the broker to the journal.
#pragma once

#include <prometheus/counter.h>

#include <atomic>
#include <string>

#include "libs/mqtt/subscriber.h"
#include "services/mqtt-ingest/ingest/received.h"
#include "services/mqtt-ingest/journal/journal.h"

namespace bv::mqtt_ingest {

class Intake {
 public:
  // `account_key` is what the broker puts beside the account so that nobody else can (deploy/mosquitto).
  Intake(const mqtt::Settings& settings, config::Secret account_key, Journal& journal);

  absl::Status Start() { return subscriber_.Start(); }
  // What is not in the journal then stays at the broker.
  void Stop();

 private:
  // True when the message is in the journal; waits for room in it, for as long as it takes.
  bool Take(const mqtt::Message& message);
  Received ReceivedOf(const mqtt::Message& message) const;

  const config::Secret account_key_;
  Journal& journal_;
  prometheus::Counter& received_;
  prometheus::Counter& waits_;
  std::atomic<bool> stopping_ = false;
  mqtt::Subscriber subscriber_;
};

}  // namespace bv::mqtt_ingest
