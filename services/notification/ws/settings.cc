#include "services/notification/ws/settings.h"

namespace bv::notification {

void WebSocketSettings::Bind(config::Binder& b) {
  b.Integer("websocket.connections_max", connections_max, {1, 1'000'000});
  b.Integer("websocket.connections_per_user_max", connections_per_user_max, {1, 1'000'000});
  b.Integer("websocket.connections_per_address_max", connections_per_address_max, {1, 1'000'000});
  b.TextList("websocket.origins", origins);
  b.Integer("websocket.message_bytes_max", message_bytes_max, {256, 1 << 20});
  b.Number("websocket.messages_per_second_max", messages_per_second_max, {0.1, 1e6});
  b.Integer("websocket.messages_burst_max", messages_burst_max, {1, 1'000'000});
  b.Integer("websocket.errors_max", errors_max, {1, 1'000'000});
  b.Integer("websocket.subscriptions_max", subscriptions_max, {1, 10'000});
  b.Integer("websocket.send_messages_max", send_messages_max, {4, 100'000});
  b.Integer("websocket.send_bytes_max", send_bytes_max, {4'096, 64 << 20});
  b.Duration("websocket.ping_interval", ping_interval, {absl::Milliseconds(100), absl::Hours(1)});
  b.Duration("websocket.idle_timeout", idle_timeout, {absl::Milliseconds(200), absl::Hours(2)});
  b.Duration("websocket.close_timeout", close_timeout, {absl::Milliseconds(10), absl::Minutes(1)});
  b.Duration("websocket.reconnect_jitter", reconnect_jitter, {absl::ZeroDuration(), absl::Minutes(10)});
  b.Integer("websocket.order_calls_max", order_calls_max, {1, 10'000});
}

}  // namespace bv::notification
