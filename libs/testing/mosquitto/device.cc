#include "libs/testing/mosquitto/device.h"

#include <absl/strings/numbers.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <poll.h>
#include <sys/socket.h>

namespace bv::testing {
namespace {

constexpr int kLoopMillis = 100;
constexpr int kUnknown = -1;

mosquitto_property* PropertiesOf(const std::map<std::string, std::string>& pairs) {
  mosquitto_property* list = nullptr;
  for (const auto& [name, value] : pairs)
    mosquitto_property_add_string_pair(&list, MQTT_PROP_USER_PROPERTY, name.c_str(), value.c_str());
  return list;
}

}  // namespace

struct Device::Callbacks {
  static void OnConnect(mosquitto*, void* user, int reason, int, const mosquitto_property*) {
    static_cast<Device*>(user)->connect_answer_ = reason;
  }
  static void OnPublish(mosquitto*, void* user, int, int reason, const mosquitto_property*) {
    auto& self = *static_cast<Device*>(user);
    --self.waiting_;
    self.answer_ = reason;
  }
};

void Device::Destroy::operator()(mosquitto* client) const {
  mosquitto_destroy(client);
}

Device::Device(Options options) : options_(std::move(options)) {
  mosquitto_lib_init();
}

Device::~Device() {
  if (client_ == nullptr) return;
  mosquitto_disconnect(client_.get());
  while (Loop()) {
  }
}

int Device::Connect() {
  if (client_ != nullptr) return connect_answer_;
  client_.reset(mosquitto_new(nullptr, true, this));
  mosquitto* client = client_.get();
  mosquitto_int_option(client, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
  mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1);
  mosquitto_int_option(client, MOSQ_OPT_SEND_MAXIMUM, 1'000);
  mosquitto_username_pw_set(client, options_.user.c_str(), options_.password.c_str());
  mosquitto_connect_v5_callback_set(client, &Callbacks::OnConnect);
  mosquitto_publish_v5_callback_set(client, &Callbacks::OnPublish);
  if (!options_.will_topic.empty()) {
    mosquitto_will_set_v5(client, options_.will_topic.c_str(), static_cast<int>(options_.will_payload.size()),
                          options_.will_payload.data(), 1, false, PropertiesOf(options_.will_properties));
  }
  connect_answer_ = kUnknown;
  waiting_ = 0;
  const std::size_t colon = options_.address.rfind(':');
  int port = 0;
  static_cast<void>(absl::SimpleAtoi(options_.address.substr(colon + 1), &port));
  bool alive =
      mosquitto_connect(client, options_.address.substr(0, colon).c_str(), port, 60) == MOSQ_ERR_SUCCESS;
  while (alive && connect_answer_ == kUnknown) alive = Loop();
  const int answer = connect_answer_;
  if (answer != 0) client_.reset();
  return answer;
}

int Device::Publish(const std::string& topic, const std::string& payload,
                    const std::map<std::string, std::string>& user_properties) {
  if (const int connected = Connect(); connected != 0) return connected;
  answer_ = kUnknown;
  mosquitto_property* properties = PropertiesOf(user_properties);
  const int sent =
      mosquitto_publish_v5(client_.get(), nullptr, topic.c_str(), static_cast<int>(payload.size()),
                           payload.data(), 1, false, properties);
  mosquitto_property_free_all(&properties);
  if (sent != MOSQ_ERR_SUCCESS) return kUnknown;
  ++waiting_;
  return Flush() ? answer_ : kUnknown;
}

void Device::PublishSurely(const std::string& topic, const std::string& payload) {
  while (Publish(topic, payload) != 0) ::poll(nullptr, 0, 10);
}

void Device::Hand(const std::string& topic, const std::string& payload, int in_flight) {
  if (Connect() != 0) return;
  while (waiting_ >= in_flight && Loop()) {
  }
  if (mosquitto_publish(client_.get(), nullptr, topic.c_str(), static_cast<int>(payload.size()),
                        payload.data(), 1, false) == MOSQ_ERR_SUCCESS)
    ++waiting_;
}

bool Device::Flush() {
  while (waiting_ > 0) {
    if (Loop()) continue;
    client_.reset();
    return false;
  }
  return true;
}

void Device::Vanish() {
  shutdown(mosquitto_socket(client_.get()), SHUT_RDWR);
  client_.reset();
}

bool Device::Loop() {
  return mosquitto_loop(client_.get(), kLoopMillis, 1) == MOSQ_ERR_SUCCESS;
}

}  // namespace bv::testing
