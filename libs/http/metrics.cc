#include "libs/http/metrics.h"

#include <absl/container/flat_hash_map.h>
#include <absl/strings/str_cat.h>

#include <utility>
#include <vector>

#include "libs/base/strings.h"
#include "libs/telemetry/telemetry.h"

namespace bv::http {
namespace {

struct OfRoute {
  prometheus::Histogram* latency;
  std::vector<std::pair<int, prometheus::Counter*>> by_status;
};

}  // namespace

Metrics::Metrics()
    : connections_(telemetry::Gauge("http_server_connections", "Connections that are open.")) {}

void Metrics::Answered(std::string_view route, int status, absl::Duration took) {
  // The registry takes a lock and builds labels; a thread asks it once for each.
  thread_local absl::flat_hash_map<std::string, OfRoute> known;
  auto found = known.find(Absl(route));
  if (found == known.end()) {
    auto& latency = telemetry::Histogram("http_server_request_seconds",
                                         "From the end of a request to the end of its answer.",
                                         telemetry::LatencySeconds(), {{"route", std::string(route)}});
    found = known.emplace(std::string(route), OfRoute{.latency = &latency}).first;
  }
  OfRoute& metrics = found->second;
  metrics.latency->Observe(absl::ToDoubleSeconds(took));
  for (const auto& [known_status, counter] : metrics.by_status) {
    if (known_status == status) return counter->Increment();
  }
  auto& counter = telemetry::Counter("http_server_requests_total", "Requests answered, by route and status.",
                                     {{"route", std::string(route)}, {"status", absl::StrCat(status)}});
  metrics.by_status.emplace_back(status, &counter);
  counter.Increment();
}

}  // namespace bv::http
