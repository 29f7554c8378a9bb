#include <absl/random/random.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>

#include "libs/base/error.h"
#include "libs/telemetry/telemetry.h"
#include "libs/telemetry/tracing.h"

namespace bv {

std::string TraceContext::ToTraceparent() const {
  return absl::StrCat("00-", trace_id, "-", span_id, sampled ? "-01" : "-00");
}

}  // namespace bv

namespace bv::telemetry {
namespace {

constexpr std::string_view kNoSpan = "0000000000000000";
constexpr std::size_t kAttributesMax = 32;
constexpr std::size_t kAttributeBytesMax = 1024;

struct Destination {
  // Read first: most processes do not trace, and most requests are not sampled.
  std::atomic<bool> on = false;
  std::mutex mutex;
  std::shared_ptr<Exporter> exporter;
  std::atomic<double> sample_ratio = 0;
};

Destination& TheDestination() {
  static Destination& destination = *new Destination;
  return destination;
}

std::shared_ptr<Exporter> CurrentExporter() {
  Destination& destination = TheDestination();
  if (!destination.on.load(std::memory_order_relaxed)) return nullptr;
  const std::lock_guard lock(destination.mutex);
  return destination.exporter;
}

absl::BitGen& Random() {
  thread_local absl::BitGen random;
  return random;
}

// 16 digits, never all zero: that stands for "none".
std::string RandomHex16() {
  const auto bits = absl::Uniform<std::uint64_t>(absl::IntervalClosed, Random(), 1, UINT64_MAX);
  return absl::StrCat(absl::Hex(bits, absl::kZeroPad16));
}

bool IsHex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool IsZero(std::string_view text) {
  return text.find_first_not_of('0') == std::string_view::npos;
}

TraceContext NewTrace() {
  TraceContext trace;
  trace.trace_id = RandomHex16() + RandomHex16();
  Destination& destination = TheDestination();
  trace.sampled = destination.on.load(std::memory_order_relaxed) &&
                  absl::Bernoulli(Random(), destination.sample_ratio.load(std::memory_order_relaxed));
  // A sampled trace gets its first span id from its first Span, which then has no parent. One that is not
  // sampled has no spans, and needs an id all the same for its traceparent to be valid.
  trace.span_id = trace.sampled ? std::string(kNoSpan) : RandomHex16();
  return trace;
}

std::string_view Cut(std::string_view text) {
  return text.substr(0, kAttributeBytesMax);
}

}  // namespace

void SetExporter(std::shared_ptr<Exporter> exporter, double sample_ratio) {
  Destination& destination = TheDestination();
  const std::lock_guard lock(destination.mutex);
  destination.sample_ratio = sample_ratio;
  destination.on = exporter != nullptr;
  destination.exporter = std::move(exporter);
}

// version "-" trace-id "-" parent-id "-" flags; a version that is not known yet may append more after another
// "-".
TraceContext ParseTraceparent(std::string_view header) {
  constexpr std::size_t kLength = 55;
  if (header.size() < kLength || header[2] != '-' || header[35] != '-' || header[52] != '-')
    return NewTrace();
  const std::string_view version = header.substr(0, 2);
  const std::string_view trace_id = header.substr(3, 32);
  const std::string_view span_id = header.substr(36, 16);
  const std::string_view flags = header.substr(53, 2);
  if (!IsHex(version) || !IsHex(trace_id) || !IsHex(span_id) || !IsHex(flags)) return NewTrace();
  if (version == "ff" || IsZero(trace_id) || IsZero(span_id)) return NewTrace();
  if (header.size() > kLength && (version == "00" || header[kLength] != '-')) return NewTrace();
  const bool sampled = std::string_view("13579bdf").find(flags[1]) != std::string_view::npos;
  return {.trace_id = std::string(trace_id), .span_id = std::string(span_id), .sampled = sampled};
}

struct Span::Record {
  std::shared_ptr<Exporter> exporter;
  FinishedSpan span;
  std::chrono::steady_clock::time_point start;
};

Span::Span(std::string_view name, SpanKind kind, const TraceContext& parent)
    : context_(IsZero(parent.trace_id) ? NewTrace() : parent) {
  if (!context_.sampled) return;
  auto exporter = CurrentExporter();
  // Nobody records here: the next hop hangs its spans below the last one that was recorded.
  if (!exporter) return;
  record_ = std::make_unique<Record>();
  record_->exporter = std::move(exporter);
  record_->start = std::chrono::steady_clock::now();
  FinishedSpan& span = record_->span;
  if (!IsZero(context_.span_id)) span.parent_span_id = context_.span_id;
  context_.span_id = RandomHex16();
  span.trace_id = context_.trace_id;
  span.span_id = context_.span_id;
  span.name = Cut(name);
  span.kind = kind;
  span.start = absl::Now();
}

Span::~Span() {
  End();
}

Span::Span(Span&&) noexcept = default;

void Span::Set(std::string_view attribute, std::string_view value) {
  if (!record_ || record_->span.attributes.size() >= kAttributesMax) return;
  record_->span.attributes.emplace_back(Cut(attribute), Cut(value));
}

void Span::Fail(const absl::Status& status) {
  if (!record_) return;
  record_->span.error = absl::StrCat(absl::StatusCodeToString(status.code()), ": ",
                                     status.message().substr(0, kAttributeBytesMax));
}

void Span::End() {
  if (!record_) return;
  const auto record = std::move(record_);
  // The wall clock may be set while the span runs; its length must not change with it.
  record->span.end = record->span.start + absl::FromChrono(std::chrono::steady_clock::now() - record->start);
  record->exporter->Add(std::move(record->span));
}

}  // namespace bv::telemetry
