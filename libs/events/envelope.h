// Events as consumers get them: the envelope of a Kafka message, and the request context that it carries.
//
//   consumer: [&](std::span<const kafka::Message> messages) -> absl::Status {
//     ASSIGN_OR_RETURN(const std::vector<Event> events, ReadEvents(messages, dead_letters));
//     for (const Event& event : events) {
//       if (!event.envelope.Is<ReservationHeld>()) continue;
//       ReservationHeld held;
//       if (absl::Status status = event.envelope.ParsePayload(held); !status.ok()) {
//         RETURN_IF_ERROR(dead_letters.Put(event.message, status));
//         continue;
//       }
//       …
//     }
//   }
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <google/protobuf/message.h>

#include <span>
#include <string_view>
#include <vector>

#include "libs/base/request_context.h"
#include "libs/events/event_type.h"
#include "libs/json/json.h"
#include "libs/kafka/consumer.h"
#include "libs/kafka/dead_letters.h"

namespace bv::events {

// What MakeRow wrote. The views are valid as long as the envelope.
class Envelope {
 public:
  std::string_view event_id() const { return object_.Text("eventId"); }
  // "ecommerce.order.order.created.v1"
  std::string_view type() const { return object_.Text("eventType"); }
  // Of the type whose payload the message is.
  template <class Payload>
  bool Is() const {
    return type() == TypeOf<Payload>().name;
  }
  std::string_view producer() const { return object_.Text("producer"); }
  std::string_view trace_id() const { return object_.Text("traceId"); }
  std::string_view correlation_id() const { return object_.Text("correlationId"); }
  std::string_view partition_key() const { return object_.Text("partitionKey"); }
  absl::Time occurred_at() const { return occurred_at_; }

  // One text of the payload by its name in JSON, without reading the rest; empty when it has none.
  std::string_view PayloadText(std::string_view name) const { return object_.TextIn("payload", name); }
  // Merges the payload into the message of its type. Fields that the message does not have are passed over,
  // so that the writer may be newer. INVALID_ARGUMENT as of json::Parse, the field named from "payload" on.
  absl::Status ParsePayload(google::protobuf::Message& payload) const {
    return object_.Parse("payload", payload);
  }

 private:
  friend absl::StatusOr<Envelope> ParseEnvelope(std::string_view text);
  Envelope(json::Object object, absl::Time occurred_at)
      : object_(std::move(object)), occurred_at_(occurred_at) {}

  json::Object object_;
  absl::Time occurred_at_;
};

// INVALID_ARGUMENT: reason MALFORMED_JSON, or INVALID_VALUE for an envelope without eventId, eventType or a
// time in occurredAt.
absl::StatusOr<Envelope> ParseEnvelope(std::string_view text);

// The context in which an event is handled: tenant, trace and correlation id of its headers `tenantId`,
// `traceparent` and `correlationId`, role SERVICE, no deadline. INVALID_ARGUMENT when there is no legal
// tenant.
absl::StatusOr<RequestContext> ContextOf(const kafka::Message& message);

struct Event {
  const kafka::Message& message;
  Envelope envelope;
  RequestContext context;
  // It comes from where it was parked, not from its place in the topic (see consumer.h).
  bool retried = false;
};

// INVALID_ARGUMENT for a message that is none.
absl::StatusOr<Event> ReadEvent(const kafka::Message& message);

// The events of a batch, in its order; what is none is put among the dead letters. Not OK only when that
// fails: then the batch has to come again.
absl::StatusOr<std::vector<Event>> ReadEvents(std::span<const kafka::Message> messages,
                                              kafka::DeadLetters& dead_letters);

}  // namespace bv::events
