#include "services/outbox-relay/relay/outbox_event.h"

#include <absl/strings/ascii.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>

#include "libs/base/strings.h"

namespace bv::relay {
namespace {

struct Column {
  const char* name;
  std::string_view OutboxEvent::*field;
  bool required;
};
constexpr std::array<Column, 10> kColumns = {{
    {"tenant_id", &OutboxEvent::tenant_id, false},
    {"id", &OutboxEvent::id, true},
    {"aggregatetype", &OutboxEvent::aggregate_type, true},
    {"aggregateid", &OutboxEvent::aggregate_id, true},
    {"type", &OutboxEvent::type, true},
    {"payload", &OutboxEvent::payload, true},
    {"aggregate_version", &OutboxEvent::aggregate_version, false},
    {"occurred_at", &OutboxEvent::occurred_at, false},
    {"traceparent", &OutboxEvent::traceparent, false},
    {"correlation_id", &OutboxEvent::correlation_id, false},
}};

// Reads as far as the top-level member "producer", which stands before the payload, and stops the parser
// there.
struct ProducerFinder : rapidjson::BaseReaderHandler<rapidjson::UTF8<>, ProducerFinder> {
  bool Default() { return is_producer ? false : true; }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    is_producer = depth == 1 && std::string_view(text, size) == "producer";
    return true;
  }
  bool String(const char* text, rapidjson::SizeType size, bool) {
    if (is_producer) producer.assign(text, size);
    return !is_producer;
  }
  bool StartObject() {
    ++depth;
    return !is_producer;
  }
  bool EndObject(rapidjson::SizeType) {
    --depth;
    return true;
  }
  // An array counts as a level, so that objects inside are not taken for the envelope.
  bool StartArray() { return StartObject(); }
  bool EndArray(rapidjson::SizeType size) { return EndObject(size); }

  int depth = 0;
  bool is_producer = false;
  std::string producer;
};

}  // namespace

absl::StatusOr<OutboxColumns> OutboxColumns::Find(const std::vector<std::string>& names) {
  OutboxColumns columns;
  for (std::size_t i = 0; i < kColumns.size(); ++i) {
    const auto found = std::ranges::find(names, kColumns[i].name);
    if (found == names.end()) {
      return absl::FailedPreconditionError(Concat("outbox.event has no column ", kColumns[i].name));
    }
    columns.positions_[i] = static_cast<std::size_t>(found - names.begin());
  }
  return columns;
}

absl::StatusOr<OutboxEvent> OutboxColumns::Read(
    const std::vector<std::optional<std::string_view>>& values) const {
  OutboxEvent event;
  for (std::size_t i = 0; i < kColumns.size(); ++i) {
    if (positions_[i] >= values.size())
      return absl::InvalidArgumentError("a row of outbox.event is too short");
    const std::optional<std::string_view>& value = values[positions_[i]];
    if (kColumns[i].required && !value) {
      return absl::InvalidArgumentError(Concat("a row of outbox.event has no ", kColumns[i].name));
    }
    event.*kColumns[i].field = value.value_or(std::string_view());
  }
  return event;
}

std::optional<std::string> Rfc3339(std::string_view postgres_time) {
  constexpr std::string_view kShape = "dddd-dd-dd dd:dd:dd";
  constexpr std::string_view kUtc = "+00";
  if (postgres_time.size() < kShape.size() + kUtc.size() || !postgres_time.ends_with(kUtc))
    return std::nullopt;
  std::string time(postgres_time.substr(0, postgres_time.size() - kUtc.size()));
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    if (kShape[i] == 'd' ? !absl::ascii_isdigit(time[i]) : time[i] != kShape[i]) return std::nullopt;
  }
  const std::string_view fraction = std::string_view(time).substr(kShape.size());
  if (!fraction.empty() &&
      (fraction.size() == 1 || fraction[0] != '.' ||
       !std::all_of(fraction.begin() + 1, fraction.end(), [](char c) { return absl::ascii_isdigit(c); }))) {
    return std::nullopt;
  }
  // Always microseconds, as the envelope has them: PostgreSQL leaves out zeros at the end.
  if (fraction.size() > 7) return std::nullopt;
  time.resize(kShape.size() + fraction.size());
  if (fraction.empty()) time += '.';
  time.resize(kShape.size() + 7, '0');
  time[10] = 'T';
  time += 'Z';
  return time;
}

std::string SourceOf(const OutboxEvent& event) {
  ProducerFinder finder;
  rapidjson::MemoryStream stream(event.payload.data(), event.payload.size());
  rapidjson::Reader reader;
  // Iterative: a deeply nested payload must not use up the stack.
  reader.Parse<rapidjson::kParseIterativeFlag>(stream, finder);
  if (!finder.producer.empty()) return finder.producer;
  std::string_view rest = event.type;
  const std::size_t first = rest.find('.');
  if (first != std::string_view::npos) rest.remove_prefix(first + 1);
  return Concat("/", rest.substr(0, rest.find('.')));
}

}  // namespace bv::relay
