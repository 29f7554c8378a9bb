// Takes messages from queues, and acknowledges them when their effect is durable.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "libs/rabbitmq/settings.h"
#include "libs/rabbitmq/topology.h"

namespace bv::rabbitmq {

// Which message of which connection: after a connection was lost its messages come again, under other tags.
struct Tag {
  std::uint64_t connection = 0;
  std::uint64_t number = 0;
};

struct Incoming {
  Tag tag;
  std::string queue;
  std::string body;
  std::map<std::string, std::string, std::less<>> headers;
  // It may have been handed over before, here or elsewhere.
  bool redelivered = false;
};

// One thread, one connection. A message stays with the broker until it is acknowledged, and comes again, to
// whoever consumes then, when the connection is lost before. Of a queue with a single active consumer
// messages come only to one consumer at a time, for as long as its connection lives.
class Consumer {
 public:
  struct Options {
    // Names it in metrics.
    std::string client;
    std::vector<std::string> queues;
    // Messages of one queue that are handed over and not acknowledged yet, at most.
    int prefetch = 256;
    // Is declared with every connection.
    Topology topology;
  };
  // All are called by the consumer's thread, which reads nothing meanwhile.
  struct Handlers {
    std::function<void(std::vector<Incoming>)> on_messages;
    // From now on messages may come, under tags of this connection.
    std::function<void(std::uint64_t connection)> on_connected = [](std::uint64_t) {};
    // None of that connection come any more, and what was not acknowledged comes again.
    std::function<void(std::uint64_t connection)> on_lost = [](std::uint64_t) {};
  };

  Consumer(const Settings& settings, Options options, Handlers handlers);
  // As Stop.
  ~Consumer();
  Consumer(const Consumer&) = delete;
  Consumer& operator=(const Consumer&) = delete;

  // Returns at once; the broker may come later.
  void Start();
  // Sends the acknowledgements that wait, then ends the thread and the connection. The broker hands what was
  // not acknowledged to others.
  void Stop();

  // Any thread; soon after, together with others'. Those of a connection that was lost are passed over.
  void Ack(std::span<const Tag> tags);
  // The broker hands it over again, at once.
  void Requeue(std::span<const Tag> tags);

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace bv::rabbitmq
