// A device of a test: publishes by MQTT, with a library that is not ours but Mosquitto's.
#pragma once

#include <map>
#include <memory>
#include <string>

struct mosquitto;

namespace bv::testing {

// Used by one thread.
class Device {
 public:
  struct Options {
    std::string address;
    std::string user;
    std::string password;
    // Published by the broker when the connection ends without a goodbye; no topic: none.
    std::string will_topic = {};
    std::string will_payload = {};
    // User properties of the will.
    std::map<std::string, std::string> will_properties = {};
  };

  explicit Device(Options options);
  ~Device();
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  // Whether the broker took it; connects first when there is no connection. The broker's answer otherwise:
  // 0x87 (135) is "not authorized". -1: there is no broker, or none any more.
  int Connect();

  // QoS 1, returns when the broker has answered: 0, or its reason code; -1: the connection was lost before,
  // so it may have the message or not.
  int Publish(const std::string& topic, const std::string& payload,
              const std::map<std::string, std::string>& user_properties = {});
  // The same until the broker has taken it, over as many connections as that takes, as devices do; so it may
  // come twice.
  void PublishSurely(const std::string& topic, const std::string& payload);
  // QoS 1, many at once: hands over and waits only while `in_flight` of them are not acknowledged.
  void Hand(const std::string& topic, const std::string& payload, int in_flight);
  // Until all that was handed over is acknowledged. False when the connection was lost.
  bool Flush();
  // Ends the connection without a goodbye.
  void Vanish();

 private:
  struct Callbacks;
  struct Destroy {
    void operator()(mosquitto* client) const;
  };

  bool Loop();

  const Options options_;
  std::unique_ptr<mosquitto, Destroy> client_;
  int connect_answer_ = -1;
  // Published and not acknowledged; the last answer.
  int waiting_ = 0;
  int answer_ = -1;
};

}  // namespace bv::testing
