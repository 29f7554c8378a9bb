#include "services/notification/sse/settings.h"

namespace bv::notification {

void StreamSettings::Bind(config::Binder& b) {
  b.Integer("sse.connections_max", connections_max, {1, 1'000'000});
  b.Integer("sse.connections_per_address_max", connections_per_address_max, {1, 1'000'000});
  b.Integer("sse.log_bytes_max", log_bytes_max, {1 << 16, std::int64_t{16} << 30});
  b.Integer("sse.send_bytes_max", send_bytes_max, {4'096, 64 << 20});
  b.Duration("sse.heartbeat_interval", heartbeat_interval, {absl::Milliseconds(100), absl::Hours(1)});
  b.Duration("sse.retry", retry, {absl::Milliseconds(1), absl::Minutes(10)});
  b.Duration("sse.reconnect_jitter", reconnect_jitter, {absl::ZeroDuration(), absl::Minutes(10)});
}

}  // namespace bv::notification
