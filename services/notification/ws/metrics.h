// What the WebSockets count.
#pragma once

#include <absl/time/time.h>

#include <cstdint>

#include "libs/telemetry/telemetry.h"

namespace bv::notification {

struct SessionMetrics {
  prometheus::Gauge& connections =
      telemetry::Gauge("notification_connections", "Clients that are connected.", {{"kind", "websocket"}});
  prometheus::Counter& messages_in =
      telemetry::Counter("notification_messages_in_total", "Messages that clients have sent.");
  prometheus::Counter& acks = telemetry::Counter("notification_acks_total", "Those of them that are an ack.");
  prometheus::Counter& errors =
      telemetry::Counter("notification_client_errors_total", "Those that were answered with an error.");
  prometheus::Counter& messages_out = telemetry::Counter(
      "notification_messages_out_total", "Messages that clients were sent.", {{"kind", "websocket"}});
  prometheus::Counter& snapshots = telemetry::Counter("notification_snapshots_total",
                                                      "Orders that were asked for, to be sent as they are.");
  prometheus::Counter& coalesced =
      telemetry::Counter("notification_coalesced_total",
                         "Times that a subscription fell behind and goes on with a new snapshot.");
  prometheus::Counter& resets = telemetry::Counter(
      "notification_resets_total", "Clients that were away for longer than the window, and load anew.");
  prometheus::Histogram& delay = telemetry::Histogram("notification_delay_seconds",
                                                      "From an event to the end of its writing to a client.",
                                                      telemetry::LatencySeconds(), {{"kind", "websocket"}});

  void Closed(std::uint16_t code) const;
};

}  // namespace bv::notification
