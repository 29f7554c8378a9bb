#include "libs/events/envelope.h"

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/telemetry/telemetry.h"

namespace bv::events {
namespace {

std::string_view HeaderOf(const kafka::Message& message, std::string_view name) {
  const auto header = message.headers.find(name);
  return header == message.headers.end() ? std::string_view() : header->second;
}

}  // namespace

absl::StatusOr<Envelope> ParseEnvelope(std::string_view text) {
  ASSIGN_OR_RETURN(json::Object object, json::Object::Read(text));
  for (const std::string_view name : {"eventId", "eventType"}) {
    if (object.Text(name).empty()) return InvalidValue(name, "must be a string that is not empty");
  }
  absl::Time occurred_at;
  if (!absl::ParseTime(absl::RFC3339_full, Absl(object.Text("occurredAt")), &occurred_at, nullptr)) {
    return InvalidValue("occurredAt", "must be a time, RFC 3339");
  }
  return Envelope(std::move(object), occurred_at);
}

absl::StatusOr<RequestContext> ContextOf(const kafka::Message& message) {
  RequestContext context;
  ASSIGN_OR_RETURN(context.tenant, TenantId::Parse(HeaderOf(message, "tenantId"), "tenantId"));
  context.role = Role::kService;
  context.trace = telemetry::ParseTraceparent(HeaderOf(message, "traceparent"));
  context.correlation_id = HeaderOf(message, "correlationId");
  return context;
}

absl::StatusOr<Event> ReadEvent(const kafka::Message& message) {
  ASSIGN_OR_RETURN(Envelope envelope, ParseEnvelope(message.value));
  ASSIGN_OR_RETURN(RequestContext context, ContextOf(message));
  return Event{message, std::move(envelope), std::move(context)};
}

absl::StatusOr<std::vector<Event>> ReadEvents(std::span<const kafka::Message> messages,
                                              kafka::DeadLetters& dead_letters) {
  std::vector<Event> events;
  events.reserve(messages.size());
  for (const kafka::Message& message : messages) {
    absl::StatusOr<Event> event = ReadEvent(message);
    if (event.ok()) {
      events.push_back(*std::move(event));
    } else {
      RETURN_IF_ERROR(dead_letters.Put(message, event.status()));
    }
  }
  return events;
}

}  // namespace bv::events
