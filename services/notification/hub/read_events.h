// From a message of Kafka to what the domain knows.
#pragma once

#include <absl/status/statusor.h>

#include "libs/kafka/consumer.h"
#include "services/notification/domain/order_event.h"
#include "services/notification/domain/sales.h"

namespace bv::notification {

// INVALID_ARGUMENT for a message that is no event of an order.
absl::StatusOr<OrderEventPtr> ReadOrderEvent(const kafka::Message& message);

// The same of flash sales; null for an event that neither starts nor ends one.
absl::StatusOr<SaleEventPtr> ReadSaleEvent(const kafka::Message& message);

}  // namespace bv::notification
