#pragma once

#include <absl/time/time.h>

#include <string>
#include <vector>

#include "libs/config/config.h"

namespace bv::notification {

// Of the WebSockets of one process, or of each of them.
struct WebSocketSettings {
  // More are refused: 503; 429 for those of one user or address.
  int connections_max = 0;
  int connections_per_user_max = 0;
  int connections_per_address_max = 0;
  // Pages that may connect beside those of the same host, "https://shop.example"; "*": any.
  std::vector<std::string> origins;
  // Of a client's message.
  int message_bytes_max = 0;
  // A client that says more is told so, and closed after errors_max errors of any kind.
  double messages_per_second_max = 0;
  int messages_burst_max = 0;
  int errors_max = 0;
  int subscriptions_max = 0;
  // What waits for a slow reader.
  int send_messages_max = 0;
  int send_bytes_max = 0;
  absl::Duration ping_interval;
  // Without any sign of the client.
  absl::Duration idle_timeout;
  // For the client to answer a close frame.
  absl::Duration close_timeout;
  // Clients that are sent away come back spread over this time.
  absl::Duration reconnect_jitter;
  // Questions to the order service at once, of all connections.
  int order_calls_max = 0;

  void Bind(config::Binder& b);  // websocket.…
};

}  // namespace bv::notification
