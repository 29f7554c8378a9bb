// What goes to Kafka for a message of a device: an event, or a dead letter with the reason.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "libs/events/outbox.h"
#include "services/mqtt-ingest/ingest/received.h"

namespace bv::mqtt_ingest {

// A record that owns its text.
struct Outgoing {
  std::string topic;
  std::string key;
  std::string value;
  std::vector<std::pair<std::string, std::string>> headers;
};

// "ecommerce.inventory.device" and "ecommerce.inventory.device.mqtt-ingest.dlq", where others do not say
// otherwise.
struct Topics {
  explicit Topics(std::string event_topic);

  std::string events;
  std::string dead_letters;
};

// With the headers that outbox-relay gives an event (a CloudEvent in binary mode), but that of a schema's id.
Outgoing EventOf(const Topics& topics, const events::OutboxRow& row);

// The payload as it came, as far as it is kept, with Kafka Connect's headers: the MQTT topic, `position` (its
// place in the journal), why; and the account, and the size of what came.
Outgoing DeadLetterOf(const Topics& topics, const Received& received, std::int64_t position,
                      const absl::Status& why);

// The one or the other.
Outgoing OutgoingOf(const Topics& topics, const Received& received, std::int64_t position);

}  // namespace bv::mqtt_ingest
