// A subscriber of an MQTT 5 broker with a session that outlives it: what is published while it is away waits
// for it at the broker.
//
//   Subscriber subscriber(settings, "iot/inventory/+/delta", [&](const Message& message) {
//     return journal.Append(message).ok();   // true: the broker may forget it
//   });
//   RETURN_IF_ERROR(subscriber.Start());
//   …
//   subscriber.Stop();
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>
#include <prometheus/gauge.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "libs/config/config.h"

struct mosquitto;

namespace bv::mqtt {

struct Settings {
  // host:port
  std::string address;
  std::string user;
  config::Secret password;
  // Names the session at the broker; two processes with one name push each other out.
  std::string client_id;
  // The broker gives a connection up that was silent for one and a half of it; whole seconds.
  absl::Duration keep_alive;
  // For how long the broker keeps the session, and what waits in it, without a connection; whole seconds.
  absl::Duration session_expiry;
  // Messages that the broker sends before the first of them is acknowledged; the broker may have a lower
  // limit.
  int in_flight_max = 0;

  // mqtt.address, mqtt.user, mqtt.password, mqtt.client_id, mqtt.keep_alive, mqtt.session_expiry,
  // mqtt.in_flight_max
  void Bind(config::Binder& b);
};

// Valid during the call that it is handed to.
struct Message {
  std::string_view topic;
  std::string_view payload;
  std::vector<std::pair<std::string, std::string>> user_properties;

  // Of the last one with this name, so that what the broker adds counts and not what a client sent; empty
  // when there is none.
  std::string_view UserProperty(std::string_view name) const;
};

// One thread connects, calls `take`, acknowledges and connects again when the connection was lost, after 100
// ms to 5 s with jitter. QoS 1: each message comes at least once, in the order of the broker.
class Subscriber {
 public:
  // True: the message is safe, and the broker hears so after the call (not at once: with the connection lost
  // it comes again). False: it is not, the connection is cut, and all that is not acknowledged comes again
  // with the next one. While it runs nothing more is read, so whoever has no room waits here: the messages
  // wait at the broker, in its bounds, and if it takes longer than the keep-alive the broker ends the
  // connection, which does no harm.
  using Take = std::function<bool(const Message&)>;

  // `filter` may have the wildcards + and #. What a broker retains of earlier times is not asked for.
  Subscriber(const Settings& settings, std::string filter, Take take);
  // As Stop.
  ~Subscriber();
  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;

  // Returns at once; the broker may come later. INVALID_ARGUMENT for an address that is none.
  absl::Status Start();
  // Returns when the message that is being taken, if any, has been. The session stays at the broker.
  void Stop();

 private:
  struct Callbacks;
  struct Destroy {
    void operator()(mosquitto* client) const;
  };
  using Client = std::unique_ptr<mosquitto, Destroy>;

  void Run();
  // One connection, from its beginning to its end: why it ended.
  absl::Status Connection();
  absl::Status Connect(mosquitto* client) const;
  // Says goodbye, so that the broker need not find out.
  static void Disconnect(mosquitto* client);
  bool stopping() const;

  const Settings settings_;
  const std::string filter_;
  const Take take_;
  prometheus::Gauge& connected_;
  std::string host_;
  int port_ = 0;
  // Of the connection: the subscription stands, and why the broker does not want us.
  bool subscribed_ = false;
  absl::Status refusal_;

  mutable std::mutex mutex_;
  std::condition_variable stop_asked_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace bv::mqtt
