// Which queues and exchanges have to be there. They are durable, and queues are quorum queues: what was
// confirmed outlives a broker that is killed.
#pragma once

#include <absl/time/time.h>

#include <optional>
#include <string>
#include <vector>

namespace bv::rabbitmq {

struct Queue {
  std::string name;
  // Of several consumers one gets the messages; when it goes, the next one does.
  bool single_active_consumer = false;
  // A message that has been in the queue for so long goes to the exchange `dead_letters`, by the routing key
  // that it came with, and leaves the queue once it is safe there. To be given together. What cannot be
  // changed of a queue that is there: a queue with another time has another name.
  std::optional<absl::Duration> message_ttl;
  std::string dead_letters;
};

struct Exchange {
  enum class Kind {
    // To the queues that are bound with the message's routing key.
    kDirect,
    // To all that are bound.
    kFanout,
  };
  std::string name;
  Kind kind = Kind::kDirect;
};

struct Binding {
  std::string exchange;
  std::string routing_key;
  std::string queue;
};

struct Topology {
  std::vector<Queue> queues;
  std::vector<Exchange> exchanges;
  std::vector<Binding> bindings;
};

}  // namespace bv::rabbitmq
