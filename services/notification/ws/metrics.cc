#include "services/notification/ws/metrics.h"

#include <absl/strings/str_cat.h>

namespace bv::notification {

void SessionMetrics::Closed(std::uint16_t code) const {
  // A client may send any of thousands.
  const bool is_known = (code >= 1000 && code <= 1015) || code == 4401 || code == 4008;
  telemetry::Counter("notification_closed_total",
                     "Connections that have ended, by the code of the close frame.",
                     {{"kind", "websocket"}, {"reason", is_known ? absl::StrCat(code) : "other"}})
      .Increment();
}

}  // namespace bv::notification
