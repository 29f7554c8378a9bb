#include "libs/telemetry/logs.h"

#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <atomic>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <memory>
#include <mutex>
#include <utility>

#include "libs/base/error.h"
#include "libs/base/strings.h"
#include "libs/telemetry/json_text.h"

namespace bv::telemetry {
namespace {

// A line waits here while standard output is slow; the oldest goes first when it is full.
constexpr std::size_t kQueuedLinesMax = 4096;
constexpr std::size_t kTextBytesMax = 8 * 1024;
// Different messages that LogLimited watches; they are literals of the code, so this is never reached in
// practice.
constexpr std::size_t kLimitedMessagesMax = 1000;

struct Output {
  std::string service;
  std::shared_ptr<spdlog::async_logger> logger;
  // Destroyed first: its thread uses the logger until it is joined.
  std::shared_ptr<spdlog::details::thread_pool> writer;
};

struct State {
  std::atomic<Level> least = Level::kInfo;
  std::mutex mutex;
  std::shared_ptr<const Output> output;
};

// Never destroyed: destructors of static objects may still log.
State& TheState() {
  static State& state = *new State;
  return state;
}

std::shared_ptr<const Output> CurrentOutput() {
  State& state = TheState();
  const std::lock_guard lock(state.mutex);
  return state.output;
}

std::string_view LevelName(Level level) {
  switch (level) {
    case Level::kDebug:
      return "debug";
    case Level::kInfo:
      return "info";
    case Level::kWarn:
      return "warn";
    case Level::kError:
      return "error";
  }
  return "error";
}

void AppendMember(std::string& line, std::string_view name, std::string_view text) {
  line += ',';
  AppendJsonString(line, name, kTextBytesMax);
  line += ':';
  AppendJsonString(line, text, kTextBytesMax);
}

void AppendContext(std::string& line, const RequestContext& context) {
  const auto add = [&line](std::string_view name, std::string_view text) {
    if (!text.empty()) AppendMember(line, name, text);
  };
  add("traceId", context.trace.trace_id);
  add("tenantId", context.tenant.str());
  add("userId", context.user_id);
  add("correlationId", context.correlation_id);
}

void Write(Level level, const RequestContext* context, std::string_view message, Fields fields) {
  if (!LogEnabled(level)) return;
  const auto output = CurrentOutput();
  std::string line = FormatLine(absl::Now(), level, output ? output->service : "", context, message, fields);
  if (output) {
    output->logger->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
  } else {
    line += '\n';
    std::fwrite(line.data(), 1, line.size(), stdout);
    std::fflush(stdout);
  }
}

std::string NumberText(double number) {
  if (!std::isfinite(number)) return "null";
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), number).ptr;
  return {buffer, end};
}

std::string StatusText(const absl::Status& status) {
  if (status.ok()) return "OK";
  const std::string reason = ErrorReason(status);
  return Concat(absl::StatusCodeToString(status.code()), reason.empty() ? "" : Concat(" (", reason, ")"),
                ": ", status.message());
}

}  // namespace

Field::Field(std::string_view field_name, std::string_view text)
    : name(field_name), value(text), quoted(true) {}
Field::Field(std::string_view field_name, std::int64_t number)
    : name(field_name), value(std::to_string(number)), quoted(false) {}
Field::Field(std::string_view field_name, std::uint64_t number)
    : name(field_name), value(std::to_string(number)), quoted(false) {}
Field::Field(std::string_view field_name, double number)
    : name(field_name), value(NumberText(number)), quoted(false) {}
Field::Field(std::string_view field_name, absl::Duration duration)
    : Field(field_name, absl::ToDoubleMilliseconds(duration)) {}
Field::Field(std::string_view field_name, const absl::Status& status)
    : name(field_name), value(StatusText(status)), quoted(true) {}

std::optional<Level> ParseLevel(std::string_view text) {
  if (text == "trace" || text == "debug") return Level::kDebug;
  if (text == "info") return Level::kInfo;
  if (text == "warn") return Level::kWarn;
  if (text == "error") return Level::kError;
  return std::nullopt;
}

void StartLogs(std::string_view service, Level least) {
  auto output = std::make_shared<Output>();
  output->service = service;
  output->writer = std::make_shared<spdlog::details::thread_pool>(kQueuedLinesMax, 1);
  output->logger =
      std::make_shared<spdlog::async_logger>("bv", std::make_shared<spdlog::sinks::stdout_sink_mt>(),
                                             output->writer, spdlog::async_overflow_policy::overrun_oldest);
  output->logger->set_pattern("%v");
  State& state = TheState();
  state.least = least;
  const std::lock_guard lock(state.mutex);
  state.output = std::move(output);
}

void StopLogs() {
  State& state = TheState();
  std::shared_ptr<const Output> output;
  {
    const std::lock_guard lock(state.mutex);
    output = std::move(state.output);
  }
  // The end of `output` writes the queue.
}

std::uint64_t DroppedLogLines() {
  const auto output = CurrentOutput();
  return output ? output->writer->overrun_counter() : 0;
}

std::string FormatLine(absl::Time time, Level level, std::string_view service, const RequestContext* context,
                       std::string_view message, Fields fields) {
  std::string line = "{\"time\":\"";
  line += absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", time, absl::UTCTimeZone());
  line += "\",\"level\":\"";
  line += LevelName(level);
  line += '"';
  AppendMember(line, "service", service);
  AppendMember(line, "message", message);
  if (context) AppendContext(line, *context);
  for (const Field& field : fields) {
    if (field.quoted) {
      AppendMember(line, field.name, field.value);
    } else {
      line += ',';
      AppendJsonString(line, field.name, kTextBytesMax);
      line += ':';
      line += field.value;
    }
  }
  line += '}';
  return line;
}

bool LogEnabled(Level level) {
  return level >= TheState().least.load(std::memory_order_relaxed);
}

void Log(Level level, std::string_view message, Fields fields) {
  Write(level, nullptr, message, fields);
}

void Log(Level level, const RequestContext& context, std::string_view message, Fields fields) {
  Write(level, &context, message, fields);
}

std::optional<std::uint64_t> LineLimiter::Admit(std::string_view message, absl::Time now) {
  const std::lock_guard lock(mutex_);
  if (limits_.size() >= kLimitedMessagesMax) limits_.clear();
  Limit& limit = limits_[std::string(message)];
  if (now < limit.next) {
    ++limit.left_out;
    return std::nullopt;
  }
  limit.next = now + absl::Seconds(1);
  return std::exchange(limit.left_out, 0);
}

void LogLimited(Level level, std::string_view message, Fields fields) {
  static LineLimiter& limiter = *new LineLimiter;
  if (!LogEnabled(level)) return;
  const auto left_out = limiter.Admit(message, absl::Now());
  if (!left_out) return;
  if (*left_out == 0) return Write(level, nullptr, message, fields);
  Write(level, nullptr, Concat(message, " (", *left_out, " more since the last line)"), fields);
}

}  // namespace bv::telemetry
