// What passes an event's schema has every member and type that its consumers want; what consumers refuse
// names the field.
//
// Input: the text of an envelope.
#include <google/protobuf/descriptor.h>

#include <map>
#include <memory>

#include "commerce/common/v1/options.pb.h"
#include "commerce/inventory/v1/events.pb.h"
#include "commerce/order/v1/events.pb.h"
#include "libs/events/envelope.h"
#include "libs/events/schemas.h"
#include "tests/fuzz/fuzz.h"

namespace bv::fuzz {
namespace {

using google::protobuf::Message;

// Event type → its payload.
const std::map<std::string, const Message*>& Payloads() {
  static const auto& payloads = *[] {
    auto* found = new std::map<std::string, const Message*>;
    for (const auto* file : {commerce::order::v1::OrderCreated::descriptor()->file(),
                             commerce::inventory::v1::ReservationHeld::descriptor()->file()}) {
      for (int i = 0; i < file->message_type_count(); ++i) {
        const auto* type = file->message_type(i);
        if (type->options().HasExtension(commerce::common::v1::event))
          found->emplace(events::TypeOf(*type).name,
                         google::protobuf::MessageFactory::generated_factory()->GetPrototype(type));
      }
    }
    return found;
  }();
  return payloads;
}

}  // namespace

void Run(std::string_view input) {
  const absl::StatusOr<events::Envelope> envelope = events::ParseEnvelope(input);
  if (!envelope.ok()) {
    RequireRefusal(envelope.status());
    const ErrorDetail detail = GetErrorDetail(envelope.status());
    return Require(
        detail.reason == "MALFORMED_JSON" || detail.reason == "WRONG_TYPE" || !detail.field.empty(),
        "a refused member is named");
  }
  const auto type = Payloads().find(std::string(envelope->type()));
  if (type == Payloads().end()) return;
  const std::unique_ptr<Message> payload(type->second->New());
  const absl::Status read = envelope->ParsePayload(*payload);
  if (!read.ok()) RequireRefusal(read);
  const absl::Status valid = events::Validate(type->first, input);
  if (!valid.ok()) return Require(ErrorReason(valid) == "EVENT_NOT_VALID", "a schema says what is not valid");
  // It cannot know every currency and calendar, and does not see what stands twice.
  const std::string reason = ErrorReason(read);
  if (reason != "INVALID_VALUE" && reason != "DUPLICATE_FIELD")
    RequireOk(read, "what passes the schema can be read");
}

}  // namespace bv::fuzz
