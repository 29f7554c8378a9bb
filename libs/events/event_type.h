// The kinds of events, as the contract says them: the option `event` of a payload's message.
#pragma once

#include <google/protobuf/descriptor.h>

#include <string>

namespace bv::events {

struct EventType {
  // "ecommerce.order.order.created.v1"
  std::string name;
  // "ecommerce.order.order"
  std::string topic;
  // "order-service"
  std::string producer;
  // "1.0"
  std::string schema_version;
  // The string field of the payload that is the Kafka key.
  const google::protobuf::FieldDescriptor* key = nullptr;
};

// Of a message that is the payload of an event; for any other the process ends, since that is a mistake in
// the code. Thread safe; the answer stays valid.
const EventType& TypeOf(const google::protobuf::Descriptor& payload);

template <class Payload>
const EventType& TypeOf() {
  static const EventType& type = TypeOf(*Payload::descriptor());
  return type;
}

}  // namespace bv::events
