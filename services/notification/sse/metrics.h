// What the event streams count.
#pragma once

#include <string>

#include "libs/telemetry/telemetry.h"

namespace bv::notification {

struct StreamMetrics {
  prometheus::Gauge& connections =
      telemetry::Gauge("notification_connections", "Clients that are connected.", {{"kind", "sse"}});
  prometheus::Counter& messages_out = telemetry::Counter(
      "notification_messages_out_total", "Messages that clients were sent.", {{"kind", "sse"}});
  prometheus::Counter& gone = Closed("gone");
  prometheus::Counter& slow = Closed("slow");
  prometheus::Counter& drained = Closed("drained");
  prometheus::Histogram& delay = telemetry::Histogram("notification_delay_seconds",
                                                      "From an event to the end of its writing to a client.",
                                                      telemetry::LatencySeconds(), {{"kind", "sse"}});

 private:
  static prometheus::Counter& Closed(const std::string& reason) {
    return telemetry::Counter("notification_closed_total",
                              "Connections that have ended, by the code of the close frame.",
                              {{"kind", "sse"}, {"reason", reason}});
  }
};

}  // namespace bv::notification
