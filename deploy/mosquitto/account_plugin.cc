// A plugin of Mosquitto 2.0 that says of every message who published it and which one it is, since MQTT tells
// a subscriber neither. It adds three MQTT 5 user properties to what a client publishes:
//
//   account      the user name that the publisher logged in with
//   message      an id of this one message, the same whenever it is delivered, also after a restart of the
//   broker account-key  the secret of plugin_opt_key: proves to the subscriber that this plugin was here. A
//   will is
//                published without asking plugins, so that a client could put an `account` of its choice into
//                it
//
// A message that has one of them already is refused, and the publisher told so (reason code 0x87).
// mosquitto.conf:
//
//   plugin /…/mosquitto_account.so
//   plugin_opt_key <secret>
#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>
#include <mqtt_protocol.h>
#include <sys/random.h>

#include <array>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

namespace {

constexpr const char* kAccount = "account";
constexpr const char* kMessage = "message";
constexpr const char* kAccountKey = "account-key";

struct Plugin {
  mosquitto_plugin_id_t* id = nullptr;
  std::string key;
  // Of this run of the broker, so that its numbers are no other's.
  std::uint64_t run = 0;
  std::uint64_t messages = 0;
};

using Text = std::unique_ptr<char, decltype(&std::free)>;

bool IsOurs(const char* name) {
  return std::strcmp(name, kAccount) == 0 || std::strcmp(name, kMessage) == 0 ||
         std::strcmp(name, kAccountKey) == 0;
}

bool IsForged(const mosquitto_property* properties) {
  bool skip_first = false;
  for (const mosquitto_property* at = properties; at != nullptr; skip_first = true) {
    char* name = nullptr;
    char* value = nullptr;
    at = mosquitto_property_read_string_pair(at, MQTT_PROP_USER_PROPERTY, &name, &value, skip_first);
    const Text name_owner(name, &std::free), value_owner(value, &std::free);
    if (at != nullptr && name != nullptr && IsOurs(name)) return true;
  }
  return false;
}

bool Add(mosquitto_evt_message& event, const char* name, const char* value) {
  return mosquitto_property_add_string_pair(&event.properties, MQTT_PROP_USER_PROPERTY, name, value) ==
         MOSQ_ERR_SUCCESS;
}

int OnMessage(int, void* data, void* user_data) {
  auto& event = *static_cast<mosquitto_evt_message*>(data);
  auto& plugin = *static_cast<Plugin*>(user_data);
  const char* account = mosquitto_client_username(event.client);
  if (account == nullptr || IsForged(event.properties)) return MOSQ_ERR_ACL_DENIED;
  std::array<char, 40> message{};
  std::snprintf(message.data(), message.size(), "%016" PRIx64 "-%" PRIx64, plugin.run, ++plugin.messages);
  const bool added = Add(event, kAccount, account) && Add(event, kMessage, message.data()) &&
                     Add(event, kAccountKey, plugin.key.c_str());
  return added ? MOSQ_ERR_SUCCESS : MOSQ_ERR_NOMEM;
}

}  // namespace

extern "C" {

mosq_plugin_EXPORT int mosquitto_plugin_version(int count, const int* versions) {
  for (int i = 0; i < count; ++i) {
    if (versions[i] == MOSQ_PLUGIN_VERSION) return MOSQ_PLUGIN_VERSION;
  }
  return -1;
}

mosq_plugin_EXPORT int mosquitto_plugin_init(mosquitto_plugin_id_t* identifier, void** user_data,
                                             mosquitto_opt* options, int option_count) {
  auto plugin = std::make_unique<Plugin>();
  plugin->id = identifier;
  for (int i = 0; i < option_count; ++i) {
    if (std::strcmp(options[i].key, "key") == 0) plugin->key = options[i].value;
  }
  if (plugin->key.empty()) {
    mosquitto_log_printf(MOSQ_LOG_ERR, "mosquitto_account: plugin_opt_key is missing");
    return MOSQ_ERR_INVAL;
  }
  if (getrandom(&plugin->run, sizeof plugin->run, 0) != sizeof plugin->run) return MOSQ_ERR_UNKNOWN;
  *user_data = plugin.release();
  return mosquitto_callback_register(identifier, MOSQ_EVT_MESSAGE, &OnMessage, nullptr, *user_data);
}

mosq_plugin_EXPORT int mosquitto_plugin_cleanup(void* user_data, mosquitto_opt*, int) {
  const std::unique_ptr<Plugin> plugin(static_cast<Plugin*>(user_data));
  return mosquitto_callback_unregister(plugin->id, MOSQ_EVT_MESSAGE, &OnMessage, nullptr);
}

}  // extern "C"
