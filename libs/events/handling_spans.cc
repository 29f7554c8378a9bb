#include "libs/events/handling_spans.h"

#include "libs/base/strings.h"

namespace bv::events {
namespace {

std::string_view HeaderOf(const kafka::Message& message, std::string_view name) {
  const auto header = message.headers.find(name);
  return header == message.headers.end() ? std::string_view() : header->second;
}

telemetry::Span Begin(std::string_view consumer, const kafka::Message& message, const TraceContext& trace) {
  telemetry::Span span(Concat("process ", message.topic), telemetry::SpanKind::kConsumer, trace);
  span.Set("messaging.system", "kafka");
  span.Set("messaging.consumer.group.name", consumer);
  span.Set("messaging.destination.name", message.topic);
  span.Set("messaging.destination.partition.id", Concat(message.partition));
  span.Set("messaging.kafka.offset", Concat(message.offset));
  span.Set("messaging.kafka.message.key", message.key);
  span.Set("eventType", HeaderOf(message, "ce_type"));
  return span;
}

}  // namespace

std::optional<telemetry::Span> HandlingSpan(std::string_view consumer, const kafka::Message& message) {
  const std::string_view header = HeaderOf(message, "traceparent");
  if (header.empty()) return std::nullopt;
  const TraceContext trace = telemetry::ParseTraceparent(header);
  if (!trace.sampled) return std::nullopt;
  return Begin(consumer, message, trace);
}

HandlingSpans::HandlingSpans(std::string_view consumer, std::span<Event> events) {
  for (std::size_t i = 0; i < events.size(); ++i) {
    Event& event = events[i];
    if (!event.context.trace.sampled) continue;
    if (!open_) open_ = std::make_unique<std::vector<Open>>();
    open_->push_back({i, event, event.context.trace, Begin(consumer, event.message, event.context.trace)});
    event.context.trace = open_->back().span.context();
  }
}

HandlingSpans::~HandlingSpans() {
  if (!open_) return;
  for (Open& open : *open_) open.event.context.trace = std::move(open.parent);
}

void HandlingSpans::Fail(const absl::Status& status) {
  if (!open_) return;
  for (Open& open : *open_) open.span.Fail(status);
}

void HandlingSpans::Fail(std::size_t index, const absl::Status& status) {
  if (!open_) return;
  for (Open& open : *open_) {
    if (open.index == index) open.span.Fail(status);
  }
}

}  // namespace bv::events
