// Logs, metrics and traces of one process. Set up once by libs/service; used from any thread.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/request_context.h"
#include "libs/config/config.h"

namespace bv::telemetry {

struct Settings {
  // trace, debug, info, warn or error.
  std::string log_level;
  // host:port of the page /metrics.
  std::string metrics_address;
  // OTLP over HTTP: "http://collector:4318"; empty switches the export of spans off.
  std::string otlp_endpoint;
  // The share of new traces that are recorded; a trace that arrives with a decision keeps it.
  double otlp_sample_ratio = 0;

  void Bind(config::Binder& b);  // log.level, metrics.address, otlp.endpoint, otlp.sample_ratio
};

// Starts logging, the metrics page and the exporter; destroyed last, it flushes. One a process.
class Telemetry {
 public:
  static absl::StatusOr<std::unique_ptr<Telemetry>> Start(std::string_view service, const Settings& settings);
  ~Telemetry();
  Telemetry(const Telemetry&) = delete;
  Telemetry& operator=(const Telemetry&) = delete;

  // Where the metrics page listens: the port that was chosen when metrics.address names port 0.
  int metrics_port() const;

 private:
  struct Parts;
  explicit Telemetry(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

// --- Logs: one JSON object a line on standard output: time, level, service, message, traceId, tenantId,
// userId, correlationId of the context, then the fields. Another thread writes; when standard output is too
// slow the oldest lines are lost (bv_log_lines_dropped_total). Texts are cut at 8 KiB.

enum class Level { kDebug, kInfo, kWarn, kError };

struct Field {
  Field(std::string_view field_name, std::string_view text);
  Field(std::string_view field_name, const char* text) : Field(field_name, std::string_view(text)) {}
  Field(std::string_view field_name, const std::string& text) : Field(field_name, std::string_view(text)) {}
  Field(std::string_view field_name, std::int64_t number);
  Field(std::string_view field_name, int number) : Field(field_name, static_cast<std::int64_t>(number)) {}
  Field(std::string_view field_name, std::uint64_t number);
  Field(std::string_view field_name, double number);
  Field(std::string_view field_name, absl::Duration duration);  // in milliseconds
  Field(std::string_view field_name, const absl::Status& status);

  std::string name;
  std::string value;
  bool quoted;
};
using Fields = std::initializer_list<Field>;

bool LogEnabled(Level level);
void Log(Level level, std::string_view message, Fields fields = {});
void Log(Level level, const RequestContext& context, std::string_view message, Fields fields = {});

// At most one line a second for each `message` (a literal), with the number of lines left out in between; for
// what can fail in a loop.
void LogLimited(Level level, std::string_view message, Fields fields = {});

// --- Metrics. Names are Prometheus' (`…_total`, `…_seconds`, `…_ms` where the requirements fix it). Made
// once, kept for ever; the same name and labels give the same object. Thread safe; a look-up takes a lock, so
// code that runs often keeps the reference. A name used for two types, an illegal name, and more than 1,000
// label sets of a name yield a metric that works but is not shown.

using Labels = std::map<std::string, std::string>;
prometheus::Registry& Registry();
prometheus::Counter& Counter(const std::string& name, const std::string& help, const Labels& labels = {});
prometheus::Gauge& Gauge(const std::string& name, const std::string& help, const Labels& labels = {});
prometheus::Histogram& Histogram(const std::string& name, const std::string& help,
                                 const std::vector<double>& bounds, const Labels& labels = {});
// 0.1 ms to 10 s in seconds, and the same in milliseconds.
const std::vector<double>& LatencySeconds();
const std::vector<double>& LatencyMillis();
// The gauge `bv_ready`: 1 once the process serves.
void SetReady(bool ready);

// --- Traces.

// Parses a traceparent header; an empty, malformed or all-zero one starts a new trace (sampled by the set
// ratio).
TraceContext ParseTraceparent(std::string_view header);

enum class SpanKind { kInternal = 1, kServer = 2, kClient = 3, kProducer = 4, kConsumer = 5 };

// A span from construction to End (or destruction). Not sampled: it costs a few branches. Not thread safe.
class Span {
 public:
  // A child of `parent`; context() is what goes on to the next hop.
  Span(std::string_view name, SpanKind kind, const TraceContext& parent);
  ~Span();
  Span(Span&&) noexcept;
  Span& operator=(Span&&) = delete;

  const TraceContext& context() const { return context_; }
  // False when what is set is for nobody.
  bool recorded() const { return record_ != nullptr; }
  void Set(std::string_view attribute, std::string_view value);
  // Marks the span as failed.
  void Fail(const absl::Status& status);
  void End();

 private:
  struct Record;
  TraceContext context_;
  std::unique_ptr<Record> record_;
};

}  // namespace bv::telemetry
