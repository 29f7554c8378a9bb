#include "libs/telemetry/exporter.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/strip.h>
#include <curl/curl.h>
#include <unistd.h>

#include <functional>

#include "libs/resilience/backoff.h"
#include "libs/telemetry/json_text.h"

namespace bv::telemetry {
namespace {

constexpr std::size_t kTextBytesMax = 4096;

prometheus::Counter& Exported() {
  static auto& counter = Counter("bv_trace_spans_exported_total", "Spans that the collector accepted");
  return counter;
}

prometheus::Counter& Dropped(const std::string& reason) {
  return Counter("bv_trace_spans_dropped_total", "Spans that were not exported", {{"reason", reason}});
}

void AppendAttribute(std::string& json, std::string_view key, std::string_view value) {
  json += "{\"key\":";
  AppendJsonString(json, key, kTextBytesMax);
  json += ",\"value\":{\"stringValue\":";
  AppendJsonString(json, value, kTextBytesMax);
  json += "}}";
}

void AppendSpan(std::string& json, const FinishedSpan& span) {
  absl::StrAppend(&json, "{\"traceId\":\"", span.trace_id, "\",\"spanId\":\"", span.span_id, "\"");
  if (!span.parent_span_id.empty()) absl::StrAppend(&json, ",\"parentSpanId\":\"", span.parent_span_id, "\"");
  json += ",\"name\":";
  AppendJsonString(json, span.name, kTextBytesMax);
  // 64-bit numbers are strings in the JSON of Protocol Buffers.
  absl::StrAppend(&json, ",\"kind\":", static_cast<int>(span.kind), ",\"startTimeUnixNano\":\"",
                  absl::ToUnixNanos(span.start), "\",\"endTimeUnixNano\":\"", absl::ToUnixNanos(span.end),
                  "\",\"attributes\":[");
  for (const auto& [key, value] : span.attributes) {
    if (json.back() != '[') json += ',';
    AppendAttribute(json, key, value);
  }
  json += "]";
  if (!span.error.empty()) {
    json += ",\"status\":{\"code\":2,\"message\":";
    AppendJsonString(json, span.error, kTextBytesMax);
    json += "}";
  }
  json += "}";
}

std::string HostName() {
  char name[256] = {};
  gethostname(name, sizeof(name) - 1);
  return name;
}

std::size_t Discard(char*, std::size_t size, std::size_t count, void*) {
  return size * count;
}

}  // namespace

std::string ToOtlpJson(std::string_view service, const std::vector<FinishedSpan>& spans) {
  static const std::string host = HostName();
  std::string json = "{\"resourceSpans\":[{\"resource\":{\"attributes\":[";
  AppendAttribute(json, "service.name", service);
  json += ",";
  AppendAttribute(json, "service.namespace", "bivouac");
  json += ",";
  AppendAttribute(json, "service.instance.id", absl::StrCat(host, ":", getpid()));
  json += ",";
  AppendAttribute(json, "host.name", host);
  json += "]},\"scopeSpans\":[{\"scope\":{\"name\":\"bivouac\"},\"spans\":[";
  for (const FinishedSpan& span : spans) {
    if (json.back() != '[') json += ',';
    AppendSpan(json, span);
  }
  json += "]}]}]}";
  return json;
}

// libcurl's multi interface, for one request at a time: only so can a request be given up at an exact time.
class Exporter::Connection {
 public:
  Connection(const std::string& url, absl::Duration timeout)
      : multi_(curl_multi_init()), easy_(curl_easy_init()) {
    headers_ = curl_slist_append(headers_, "Content-Type: application/json");
    // Without it libcurl asks first whether a larger body is welcome, a round trip for nothing.
    headers_ = curl_slist_append(headers_, "Expect:");
    curl_easy_setopt(easy_, CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy_, CURLOPT_POST, 1L);
    curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, headers_);
    curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &Discard);
    curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
    // Does not wait for a name look-up that hangs.
    curl_easy_setopt(easy_, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(absl::ToInt64Milliseconds(timeout)));
    curl_easy_setopt(easy_, CURLOPT_TIMEOUT_MS, static_cast<long>(absl::ToInt64Milliseconds(timeout)));
  }

  ~Connection() {
    curl_easy_cleanup(easy_);
    curl_multi_cleanup(multi_);
    curl_slist_free_all(headers_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // `error` says what went wrong. `give_up_at` is asked again and again: it may move closer while the request
  // runs.
  Outcome Post(const std::string& body, const std::function<absl::Time()>& give_up_at, std::string& error) {
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, body.data());
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    curl_multi_add_handle(multi_, easy_);
    const CURLcode code = Perform(give_up_at);
    curl_multi_remove_handle(multi_, easy_);
    if (code != CURLE_OK) {
      error = curl_easy_strerror(code);
      return Outcome::kTryAgain;
    }
    long http_status = 0;
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &http_status);
    if (http_status >= 200 && http_status < 300) return Outcome::kAccepted;
    error = absl::StrCat("HTTP status ", http_status);
    // Those that OTLP names as worth another try.
    const bool try_again =
        http_status == 429 || http_status == 502 || http_status == 503 || http_status == 504;
    return try_again ? Outcome::kTryAgain : Outcome::kRefused;
  }

 private:
  CURLcode Perform(const std::function<absl::Time()>& give_up_at) {
    for (int running = 1; running > 0;) {
      if (curl_multi_perform(multi_, &running) != CURLM_OK) return CURLE_SEND_ERROR;
      if (running == 0) break;
      if (absl::Now() >= give_up_at()) return CURLE_OPERATION_TIMEDOUT;
      curl_multi_poll(multi_, nullptr, 0, /*timeout_ms=*/50, nullptr);
    }
    int left = 0;
    const CURLMsg* message = curl_multi_info_read(multi_, &left);
    return message ? message->data.result : CURLE_SEND_ERROR;
  }

  CURLM* multi_;
  CURL* easy_;
  curl_slist* headers_ = nullptr;
};

Exporter::Exporter(ExporterSettings settings) : settings_(std::move(settings)) {
  const absl::string_view base = absl::StripSuffix(settings_.endpoint, "/");
  connection_ = std::make_unique<Connection>(absl::StrCat(base, "/v1/traces"), settings_.timeout);
  thread_ = std::thread([this] { Run(); });
}

Exporter::~Exporter() {
  Stop();
}

void Exporter::Add(FinishedSpan&& span) {
  bool wake = false;
  const char* dropped = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) {
      dropped = "stopped";
    } else if (queue_.size() >= settings_.queue_max) {
      dropped = "queue_full";
    } else {
      queue_.push_back(std::move(span));
      // In between it waits for the batch to fill; waking it for every span would only cost.
      wake = queue_.size() == 1 || queue_.size() == settings_.batch_max;
    }
  }
  if (dropped) Dropped(dropped).Increment();
  if (wake) changed_.notify_all();
}

void Exporter::Stop() {
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_) stop_deadline_ = absl::Now() + settings_.flush_max;
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Exporter::Run() {
  for (auto batch = NextBatch(); !batch.empty(); batch = NextBatch()) Send(batch);
}

std::vector<FinishedSpan> Exporter::NextBatch() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
  changed_.wait_for(lock, absl::ToChronoNanoseconds(settings_.linger),
                    [this] { return stopping_ || queue_.size() >= settings_.batch_max; });
  std::vector<FinishedSpan> batch;
  while (!queue_.empty() && batch.size() < settings_.batch_max) {
    batch.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return batch;
}

void Exporter::Send(const std::vector<FinishedSpan>& batch) {
  const std::string body = ToOtlpJson(settings_.service, batch);
  const auto count = static_cast<double>(batch.size());
  resilience::Backoff backoff({.min = absl::Milliseconds(200), .max = settings_.timeout, .retries_max = 4});
  for (;;) {
    std::string error;
    const absl::Time start = absl::Now();
    const Outcome outcome = connection_->Post(
        body, [&] { return GiveUpAt(start); }, error);
    if (outcome == Outcome::kAccepted) return Exported().Increment(count);
    const auto wait = outcome == Outcome::kTryAgain ? backoff.Next() : std::nullopt;
    if (wait && WaitFor(*wait)) continue;
    Dropped("export_failed").Increment(count);
    return LogLimited(Level::kWarn, "spans were dropped, the collector did not take them",
                      {{"endpoint", settings_.endpoint}, {"error", error}});
  }
}

bool Exporter::WaitFor(absl::Duration duration) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, absl::ToChronoNanoseconds(duration), [this] { return stopping_; });
}

absl::Time Exporter::GiveUpAt(absl::Time request_start) const {
  const std::lock_guard lock(mutex_);
  return std::min(request_start + settings_.timeout, stop_deadline_);
}

}  // namespace bv::telemetry
