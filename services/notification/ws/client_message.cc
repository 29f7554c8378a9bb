#include "services/notification/ws/client_message.h"

#include "libs/base/error.h"
#include "libs/base/id.h"
#include "libs/base/macros.h"
#include "libs/json/json.h"

namespace bv::notification {
namespace {

// What a message needs, with room for members of later versions.
constexpr json::ParseLimits kLimits{.depth_max = 4, .values_max = 64};

absl::Status Invalid(std::string_view reason, std::string_view detail, std::string_view field) {
  return Error(absl::StatusCode::kInvalidArgument, reason, detail, field);
}

absl::StatusOr<ClientMessage::Type> TypeOf(const json::Object& object) {
  const std::string_view type = object.Text("type");
  if (type == "subscribe") return ClientMessage::Type::kSubscribe;
  if (type == "unsubscribe") return ClientMessage::Type::kUnsubscribe;
  if (type == "ack") return ClientMessage::Type::kAck;
  return Invalid("UNKNOWN_TYPE", "must be subscribe, unsubscribe or ack", "type");
}

absl::Status ReadTarget(const json::Object& object, ClientMessage& message) {
  if (object.Has("channel")) {
    if (object.Has("orderId")) return Invalid("INVALID_VALUE", "stands beside a channel", "orderId");
    if (object.Text("channel") != "me") return Invalid("UNKNOWN_CHANNEL", "must be me", "channel");
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const OrderId id, OrderId::Parse(object.Text("orderId"), "orderId"));
  message.order_id = id.str();
  return absl::OkStatus();
}

absl::Status ReadAfter(const json::Object& object, ClientMessage& message) {
  if (!object.Has("after")) return absl::OkStatus();
  if (message.order_id.empty()) {
    ASSIGN_OR_RETURN(message.after_cursor, Cursor::Parse(object.Text("after"), "after"));
    return absl::OkStatus();
  }
  message.after_version = object.Integer("after");
  if (!message.after_version || *message.after_version < 0)
    return Invalid("INVALID_VALUE", "must be a whole number from 0 on, the seq that came last", "after");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ClientMessage> ParseClientMessage(std::string_view text) {
  ASSIGN_OR_RETURN(const json::Object object, json::Object::Read(text, kLimits));
  ClientMessage message;
  ASSIGN_OR_RETURN(message.type, TypeOf(object));
  if (message.type == ClientMessage::Type::kAck) {
    if (!object.Integer("seq") && object.Text("seq").empty())
      return Invalid("INVALID_VALUE", "must be the seq of a message", "seq");
    return message;
  }
  RETURN_IF_ERROR(ReadTarget(object, message));
  if (message.type == ClientMessage::Type::kSubscribe) RETURN_IF_ERROR(ReadAfter(object, message));
  return message;
}

}  // namespace bv::notification
