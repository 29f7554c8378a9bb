#include "libs/telemetry/telemetry.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <arpa/inet.h>
#include <curl/curl.h>
#include <prometheus/exposer.h>
#include <sys/socket.h>
#include <unistd.h>

#include <exception>
#include <stop_token>
#include <thread>

#include "libs/base/error.h"
#include "libs/telemetry/exporter.h"
#include "libs/telemetry/logs.h"
#include "libs/telemetry/metrics.h"
#include "libs/telemetry/process_metrics.h"
#include "libs/telemetry/tracing.h"

namespace bv::telemetry {
namespace {

absl::Status Check(const Settings& settings) {
  if (!ParseLevel(settings.log_level)) {
    return InvalidValue(
        "log.level",
        absl::StrCat("log.level must be trace, debug, info, warn or error, is \"", settings.log_level, "\""));
  }
  const std::string& endpoint = settings.otlp_endpoint;
  if (!endpoint.empty() && !absl::StartsWith(endpoint, "http://") &&
      !absl::StartsWith(endpoint, "https://")) {
    return InvalidValue(
        "otlp.endpoint",
        absl::StrCat("otlp.endpoint must start with http:// or https://, is \"", endpoint, "\""));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<prometheus::Exposer>> Listen(const std::string& address) {
  // Two threads and a short time-out: a client that connects and says nothing cannot hold the page for long.
  std::vector<std::string> options = {"listening_ports",    address, "num_threads", "2",
                                      "request_timeout_ms", "3000"};
  try {
    return std::make_unique<prometheus::Exposer>(std::move(options));
  } catch (const std::exception&) {
    // Its text is a guess at the cause; this one is shorter.
    return Error(absl::StatusCode::kFailedPrecondition, "ADDRESS_UNAVAILABLE",
                 absl::StrCat("metrics.address: cannot listen on ", address,
                              "; the port is taken or the address is not one of this host"),
                 "metrics.address");
  }
}

// civetweb's acceptor looks at its stop flag every two seconds, or when a client comes: one does, until the
// page has closed.
void Close(std::unique_ptr<prometheus::Exposer> page) {
  const auto port = static_cast<std::uint16_t>(page->GetListeningPorts().at(0));
  std::jthread knocking([port](std::stop_token closed) {
    while (!closed.stop_requested()) {
      const int knock = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      sockaddr_in address{.sin_family = AF_INET,
                          .sin_port = htons(port),
                          .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)},
                          .sin_zero = {}};
      ::connect(knock, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
      ::close(knock);
      absl::SleepFor(absl::Milliseconds(5));
    }
  });
  page.reset();
}

void InitializeCurl() {
  // Once a process, before other threads use it.
  static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  (void)code;
}

}  // namespace

void Settings::Bind(config::Binder& b) {
  b.Text("log.level", log_level);
  b.Text("metrics.address", metrics_address);
  b.Text("otlp.endpoint", otlp_endpoint, config::Presence::kOptional);
  b.Number("otlp.sample_ratio", otlp_sample_ratio, {.min = 0, .max = 1});
}

struct Telemetry::Parts {
  // Destroyed in reverse: the page first, the logs, which all others use, last.
  struct Logs {
    Logs(std::string_view service, Level least) { StartLogs(service, least); }
    ~Logs() { StopLogs(); }
    Logs(const Logs&) = delete;
    Logs& operator=(const Logs&) = delete;
  };
  Logs logs;
  std::shared_ptr<Exporter> exporter;
  std::shared_ptr<ProcessMetrics> process_metrics = std::make_shared<ProcessMetrics>();
  std::unique_ptr<prometheus::Exposer> page;
};

absl::StatusOr<std::unique_ptr<Telemetry>> Telemetry::Start(std::string_view service,
                                                            const Settings& settings) {
  if (absl::Status status = Check(settings); !status.ok()) return status;
  auto page = Listen(settings.metrics_address);
  if (!page.ok()) return page.status();
  std::unique_ptr<Parts> parts(new Parts{.logs = Parts::Logs(service, *ParseLevel(settings.log_level))});
  if (!settings.otlp_endpoint.empty()) {
    InitializeCurl();
    parts->exporter = std::make_shared<Exporter>(
        ExporterSettings{.endpoint = settings.otlp_endpoint, .service = std::string(service)});
    SetExporter(parts->exporter, settings.otlp_sample_ratio);
  }
  SetReady(false);
  parts->page = *std::move(page);
  parts->page->RegisterCollectable(SharedRegistry());
  parts->page->RegisterCollectable(parts->process_metrics);
  return std::unique_ptr<Telemetry>(new Telemetry(std::move(parts)));
}

Telemetry::Telemetry(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Telemetry::~Telemetry() {
  Close(std::move(parts_->page));
  SetExporter(nullptr, 0);
  // Not left to the last owner: a span that never ends would keep the queue from being sent.
  if (parts_->exporter) parts_->exporter->Stop();
}

int Telemetry::metrics_port() const {
  return parts_->page->GetListeningPorts().at(0);
}

}  // namespace bv::telemetry
