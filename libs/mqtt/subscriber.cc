#include "libs/mqtt/subscriber.h"

#include <absl/strings/numbers.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <sys/socket.h>

#include <chrono>
#include <cstdlib>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/resilience/backoff.h"
#include "libs/telemetry/telemetry.h"

namespace bv::mqtt {
namespace {

using telemetry::Level;

constexpr int kQos = 1;
// How soon a stop is noticed while nothing comes.
constexpr int kLoopMillis = 100;
// Turns of the loop for a goodbye; each waits kLoopMillis at most.
constexpr int kGoodbyeTurns = 10;
// From here on a reason code of MQTT 5 is a refusal.
constexpr int kRefusalMin = 0x80;

// The library's own state is made once a process.
void InitLibrary() {
  static const int made = mosquitto_lib_init();
  static_cast<void>(made);
}

absl::Status StatusOf(int code, std::string_view what) {
  if (code == MOSQ_ERR_SUCCESS) return absl::OkStatus();
  return Unavailable("BROKER_UNAVAILABLE", Concat(what, ": ", mosquitto_strerror(code)));
}

absl::Status RefusalOf(int reason, std::string_view what) {
  return Unavailable("BROKER_REFUSES", Concat(what, ": ", mosquitto_reason_string(reason)));
}

using Properties = std::unique_ptr<mosquitto_property, void (*)(mosquitto_property*)>;

std::vector<std::pair<std::string, std::string>> UserPropertiesOf(const mosquitto_property* properties) {
  std::vector<std::pair<std::string, std::string>> found;
  bool skip_first = false;
  for (const mosquitto_property* at = properties; at != nullptr; skip_first = true) {
    char* name = nullptr;
    char* value = nullptr;
    at = mosquitto_property_read_string_pair(at, MQTT_PROP_USER_PROPERTY, &name, &value, skip_first);
    if (at != nullptr && name != nullptr && value != nullptr) found.emplace_back(name, value);
    std::free(name);
    std::free(value);
  }
  return found;
}

}  // namespace

void Settings::Bind(config::Binder& b) {
  b.Text("mqtt.address", address);
  b.Text("mqtt.user", user);
  b.Secret("mqtt.password", password);
  b.Text("mqtt.client_id", client_id);
  b.Duration("mqtt.keep_alive", keep_alive, {absl::Seconds(5), absl::Minutes(10)});
  b.Duration("mqtt.session_expiry", session_expiry, {absl::Seconds(1), absl::Hours(24 * 90)});
  b.Integer("mqtt.in_flight_max", in_flight_max, {1, 65'535});
}

std::string_view Message::UserProperty(std::string_view name) const {
  for (auto each = user_properties.rbegin(); each != user_properties.rend(); ++each) {
    if (each->first == name) return each->second;
  }
  return {};
}

// Called by the library inside mosquitto_loop, so by our thread only.
struct Subscriber::Callbacks {
  static void OnConnect(mosquitto* client, void* user, int reason, int, const mosquitto_property*) {
    auto& self = *static_cast<Subscriber*>(user);
    if (reason != 0) {
      self.refusal_ = RefusalOf(reason, "connecting");
      return;
    }
    self.refusal_ = StatusOf(mosquitto_subscribe_v5(client, nullptr, self.filter_.c_str(), kQos,
                                                    MQTT_SUB_OPT_SEND_RETAIN_NEVER, nullptr),
                             "subscribing");
  }

  static void OnSubscribe(mosquitto*, void* user, int, int count, const int* granted) {
    auto& self = *static_cast<Subscriber*>(user);
    if (count != 1 || granted[0] >= kRefusalMin) {
      self.refusal_ = RefusalOf(count == 1 ? granted[0] : kRefusalMin, "subscribing");
      return;
    }
    self.subscribed_ = true;
    self.connected_.Set(1);
    telemetry::Log(Level::kInfo, "subscribed at the MQTT broker",
                   {{"address", self.settings_.address}, {"filter", self.filter_}});
  }

  static void OnDisconnect(mosquitto*, void* user, int reason, const mosquitto_property*) {
    auto& self = *static_cast<Subscriber*>(user);
    if (reason >= kRefusalMin) self.refusal_ = RefusalOf(reason, "the broker ended the connection");
  }

  static void OnMessage(mosquitto* client, void* user, const mosquitto_message* message,
                        const mosquitto_property* properties) {
    auto& self = *static_cast<Subscriber*>(user);
    const bool taken =
        self.refusal_.ok() && self.take_({.topic = message->topic,
                                          .payload = {static_cast<const char*>(message->payload),
                                                      static_cast<std::size_t>(message->payloadlen)},
                                          .user_properties = UserPropertiesOf(properties)});
    if (taken) return;
    // The library acknowledges whatever the callback says, but not before this thread comes to write: by then
    // there is no connection.
    self.refusal_ = absl::CancelledError("a message was not taken");
    shutdown(mosquitto_socket(client), SHUT_RDWR);
  }
};

void Subscriber::Destroy::operator()(mosquitto* client) const {
  mosquitto_destroy(client);
}

Subscriber::Subscriber(const Settings& settings, std::string filter, Take take)
    : settings_(settings),
      filter_(std::move(filter)),
      take_(std::move(take)),
      connected_(telemetry::Gauge("mqtt_connected", "Whether the subscription at the MQTT broker stands.")) {}

Subscriber::~Subscriber() {
  Stop();
}

absl::Status Subscriber::Start() {
  const std::size_t colon = settings_.address.rfind(':');
  if (colon == std::string::npos || colon == 0 ||
      !absl::SimpleAtoi(settings_.address.substr(colon + 1), &port_) || port_ < 1 || port_ > 65'535) {
    return InvalidValue("mqtt.address", "must be host:port");
  }
  host_ = settings_.address.substr(0, colon);
  InitLibrary();
  thread_ = std::thread([this] { Run(); });
  return absl::OkStatus();
}

void Subscriber::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_asked_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool Subscriber::stopping() const {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

void Subscriber::Run() {
  resilience::Backoff backoff({.min = absl::Milliseconds(100), .max = absl::Seconds(5)});
  while (!stopping()) {
    const absl::Status ended = Connection();
    connected_.Set(0);
    if (subscribed_) backoff.Reset();
    if (stopping()) return;
    telemetry::LogLimited(Level::kWarn, "no connection to the MQTT broker",
                          {{"address", settings_.address}, {"error", ended}});
    std::unique_lock lock(mutex_);
    stop_asked_.wait_for(lock, absl::ToChronoNanoseconds(*backoff.Next()), [this] { return stopping_; });
  }
}

absl::Status Subscriber::Connection() {
  subscribed_ = false;
  refusal_ = absl::OkStatus();
  // A client of its own each time, so that nothing is left of the connection before: no acknowledgement
  // either.
  const Client client(mosquitto_new(settings_.client_id.c_str(), /*clean_session=*/false, this));
  if (client == nullptr) return Unavailable("BROKER_UNAVAILABLE", "no client can be made");
  RETURN_IF_ERROR(Connect(client.get()));
  while (!stopping()) {
    const int code = mosquitto_loop(client.get(), kLoopMillis, 1);
    RETURN_IF_ERROR(refusal_);
    RETURN_IF_ERROR(StatusOf(code, "the connection was lost"));
  }
  Disconnect(client.get());
  return absl::OkStatus();
}

absl::Status Subscriber::Connect(mosquitto* client) const {
  // So that what is to be sent, acknowledgements among it, is written by the loop and never inside a
  // callback.
  mosquitto_threaded_set(client, true);
  mosquitto_int_option(client, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
  mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1);
  mosquitto_int_option(client, MOSQ_OPT_RECEIVE_MAXIMUM, settings_.in_flight_max);
  RETURN_IF_ERROR(
      StatusOf(mosquitto_username_pw_set(client, settings_.user.c_str(), settings_.password.Reveal().c_str()),
               "user"));
  mosquitto_connect_v5_callback_set(client, &Callbacks::OnConnect);
  mosquitto_subscribe_callback_set(client, &Callbacks::OnSubscribe);
  mosquitto_disconnect_v5_callback_set(client, &Callbacks::OnDisconnect);
  mosquitto_message_v5_callback_set(client, &Callbacks::OnMessage);
  mosquitto_property* raw = nullptr;
  mosquitto_property_add_int32(&raw, MQTT_PROP_SESSION_EXPIRY_INTERVAL,
                               static_cast<std::uint32_t>(absl::ToInt64Seconds(settings_.session_expiry)));
  const Properties properties(raw, [](mosquitto_property* list) { mosquitto_property_free_all(&list); });
  const int seconds = static_cast<int>(absl::ToInt64Seconds(settings_.keep_alive));
  return StatusOf(mosquitto_connect_bind_v5(client, host_.c_str(), port_, seconds, nullptr, properties.get()),
                  "connecting");
}

void Subscriber::Disconnect(mosquitto* client) {
  mosquitto_disconnect_v5(client, 0, nullptr);
  // What is to be acknowledged goes first.
  for (int turn = 0; turn < kGoodbyeTurns && mosquitto_loop(client, kLoopMillis, 1) == MOSQ_ERR_SUCCESS;
       ++turn) {
  }
}

}  // namespace bv::mqtt
