#include "libs/kafka/client_log.h"

#include <syslog.h>

#include <string_view>

#include "libs/base/strings.h"
#include "libs/telemetry/telemetry.h"

namespace bv::kafka {
namespace {

using telemetry::Level;

// Facilities that report what is done on purpose: an experimental setting, records that are purged at the
// end.
bool IsExpected(std::string_view facility) {
  return facility == "CONFWARN" || facility == "TERMINATE";
}

}  // namespace

void LogOfClient(const rd_kafka_t*, int severity, const char* facility, const char* text) {
  const Level level = severity <= LOG_ERR       ? Level::kError
                      : severity <= LOG_WARNING ? Level::kWarn
                                                : Level::kInfo;
  if (IsExpected(facility)) return;
  // The broker being away repeats itself several times a second.
  telemetry::LogLimited(level, Concat("librdkafka ", facility), {{"detail", text}});
}

}  // namespace bv::kafka
