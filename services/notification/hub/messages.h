// What clients of /ws/orders are sent: JSON, a line each, as README.md says.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "services/notification/domain/order_event.h"

namespace bv::notification {

// Shared by all who are sent the same.
using Text = std::shared_ptr<const std::string>;

Text OrderSnapshotMessage(std::int64_t version, std::string_view order_json);
Text OrderSubscribedMessage(std::string_view order_id, std::int64_t after);
Text OrderUnsubscribedMessage(std::string_view order_id);
Text OrderEventMessage(const OrderEvent& event);

Text UserSubscribedMessage(std::string_view seq);
Text UserUnsubscribedMessage();
Text UserResetMessage(std::string_view seq);
Text UserPositionMessage(std::string_view seq);
Text UserEventMessage(const OrderEvent& event, std::string_view seq);

// `order_id` is the order it is about; empty: none.
Text ErrorMessage(const absl::Status& status, std::string_view order_id);
Text ReconnectMessage(absl::Duration after);

}  // namespace bv::notification
