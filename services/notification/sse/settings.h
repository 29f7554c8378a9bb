#pragma once

#include <absl/time/time.h>

#include <cstdint>

#include "libs/config/config.h"

namespace bv::notification {

// Of the event streams of one process.
struct StreamSettings {
  // More are refused: 503; 429 for those of one address.
  int connections_max = 0;
  int connections_per_address_max = 0;
  // Of the flash sales' events that are remembered.
  std::int64_t log_bytes_max = 0;
  // What waits for a slow reader; above it the connection is closed.
  int send_bytes_max = 0;
  // Between two comments that keep a silent stream open.
  absl::Duration heartbeat_interval;
  // After which a client comes back; those that are sent away do so within reconnect_jitter.
  absl::Duration retry;
  absl::Duration reconnect_jitter;

  void Bind(config::Binder& b);  // sse.…
};

}  // namespace bv::notification
