// Publishes messages and knows that the broker has them.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>
#include <prometheus/counter.h>

#include <map>
#include <memory>
#include <span>
#include <string>

#include "libs/rabbitmq/settings.h"
#include "libs/rabbitmq/topology.h"

namespace bv::rabbitmq {

struct Outgoing {
  // Empty: the default one, where the routing key is a queue's name.
  std::string exchange;
  std::string routing_key;
  std::string body;
  std::map<std::string, std::string, std::less<>> headers = {};
};

// Used by one thread at a time, which waits.
class Publisher {
 public:
  // Declares `topology` with every connection. `client` names it in metrics. Connects when it is first used,
  // and anew when a connection that lay idle was lost.
  Publisher(const Settings& settings, Topology topology, const std::string& client);
  ~Publisher();
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  // OK once the broker has confirmed every message: it is in all queues that it goes to, on their disks. They
  // travel together and are confirmed in any order.
  //   UNAVAILABLE, reason RABBITMQ_UNAVAILABLE: the broker is away or did not answer before `deadline`.
  //   FAILED_PRECONDITION, reason UNROUTABLE: a message goes to no queue; the next call declares them again.
  //   RESOURCE_EXHAUSTED, reason RABBITMQ_FULL: a queue takes no more.
  // After an error any of the messages may have been taken: publish all of them again.
  absl::Status Publish(std::span<const Outgoing> messages, absl::Time deadline);

 private:
  class Flight;
  absl::Status Connect();
  absl::Status TryPublish(std::span<const Outgoing> messages, absl::Time deadline);

  const Settings settings_;
  const Topology topology_;
  prometheus::Counter& published_;
  prometheus::Counter& failures_;
  std::unique_ptr<class Connection> connection_;
  // Of the last message that was published on this connection.
  std::uint64_t last_tag_ = 0;
};

}  // namespace bv::rabbitmq
