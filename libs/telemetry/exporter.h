// Inside libs/telemetry: sends finished spans to a collector by OTLP over HTTP, JSON encoding
// (https://opentelemetry.io/docs/specs/otlp/#otlphttp).
#pragma once

#include <absl/time/time.h>

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "libs/telemetry/telemetry.h"

namespace bv::telemetry {

struct FinishedSpan {
  std::string trace_id;
  std::string span_id;
  // Empty for the first span of a trace.
  std::string parent_span_id;
  std::string name;
  SpanKind kind = SpanKind::kInternal;
  absl::Time start;
  absl::Time end;
  std::vector<std::pair<std::string, std::string>> attributes;
  // Empty unless the span failed.
  std::string error;
};

// The body of one request.
std::string ToOtlpJson(std::string_view service, const std::vector<FinishedSpan>& spans);

struct ExporterSettings {
  // "http://collector:4318"; /v1/traces is added.
  std::string endpoint;
  std::string service;
  std::size_t queue_max = 4096;
  std::size_t batch_max = 512;
  // How long the first span of a batch waits for others.
  absl::Duration linger = absl::Seconds(1);
  // One request.
  absl::Duration timeout = absl::Seconds(5);
  // Stop takes no longer.
  absl::Duration flush_max = absl::Seconds(2);
};

// One thread, one connection, one bounded queue. What does not fit is dropped and counted in
// bv_trace_spans_dropped_total: tracing never slows a request down.
class Exporter {
 public:
  explicit Exporter(ExporterSettings settings);
  ~Exporter();
  Exporter(const Exporter&) = delete;
  Exporter& operator=(const Exporter&) = delete;

  // From any thread; never waits.
  void Add(FinishedSpan&& span);

  // Sends what is queued, within `flush_max`. May be called again.
  void Stop();

 private:
  class Connection;
  enum class Outcome { kAccepted, kRefused, kTryAgain };

  void Run();
  // Empty: the exporter stops.
  std::vector<FinishedSpan> NextBatch();
  void Send(const std::vector<FinishedSpan>& batch);
  // False when the exporter stops meanwhile.
  bool WaitFor(absl::Duration duration);
  // When the request that runs now has to be given up.
  absl::Time GiveUpAt(absl::Time request_start) const;

  const ExporterSettings settings_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<FinishedSpan> queue_;
  bool stopping_ = false;
  absl::Time stop_deadline_ = absl::InfiniteFuture();
  std::unique_ptr<Connection> connection_;
  std::thread thread_;
};

}  // namespace bv::telemetry
