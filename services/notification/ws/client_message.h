// What a client of /ws/orders may say.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "services/notification/domain/cursor.h"

namespace bv::notification {

struct ClientMessage {
  enum class Type { kSubscribe, kUnsubscribe, kAck } type = Type::kSubscribe;
  // Empty: the channel `me`.
  std::string order_id;
  // Of a subscription: the order's version that the client has, or where it is in the channel.
  std::optional<std::int64_t> after_version;
  std::optional<Cursor> after_cursor;
};

// INVALID_ARGUMENT: reason MALFORMED_JSON, WRONG_TYPE, UNKNOWN_TYPE, UNKNOWN_CHANNEL, INVALID_ID,
// INVALID_VALUE or INVALID_CURSOR. Members that are not known are passed over.
absl::StatusOr<ClientMessage> ParseClientMessage(std::string_view text);

}  // namespace bv::notification
