#include "services/notification/hub/read_events.h"

#include <absl/hash/hash.h>
#include <absl/strings/numbers.h>

#include "commerce/order/v1/events.pb.h"
#include "commerce/pricing/v1/events.pb.h"
#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/events/envelope.h"

namespace bv::notification {
namespace {

namespace order = commerce::order::v1;
namespace pricing = commerce::pricing::v1;

absl::StatusOr<std::int64_t> VersionOf(const kafka::Message& message) {
  const auto header = message.headers.find("aggregateVersion");
  std::int64_t version = 0;
  if (header == message.headers.end() || !absl::SimpleAtoi(header->second, &version) || version < 1)
    return InvalidValue("aggregateVersion", "must be a whole number from 1 on, in the header");
  return version;
}

Position PositionOf(const kafka::Message& message) {
  return {.partition = message.partition, .offset = message.offset};
}

}  // namespace

absl::StatusOr<OrderEventPtr> ReadOrderEvent(const kafka::Message& message) {
  ASSIGN_OR_RETURN(const events::Event event, events::ReadEvent(message));
  ASSIGN_OR_RETURN(const std::int64_t version, VersionOf(message));
  // Every event of an order says whose it is; what else is in it is passed on unread.
  order::OrderStatusChanged payload;
  RETURN_IF_ERROR(event.envelope.ParsePayload(payload));
  auto read = std::make_shared<OrderEvent>();
  read->tenant = event.context.tenant.str();
  read->order_id = message.key;
  read->user_id = payload.user_id();
  read->version = version;
  read->kind = absl::Hash<absl::string_view>()(Absl(event.envelope.type()));
  // Of the events of a change this is the last one (commerce/order/v1/events.proto).
  read->completes_change =
      event.envelope.Is<order::OrderStatusChanged>() || event.envelope.Is<order::OrderCreated>();
  read->position = PositionOf(message);
  read->occurred_at = event.envelope.occurred_at();
  read->written_at = message.written_at;
  read->text = message.value;
  return read;
}

absl::StatusOr<SaleEventPtr> ReadSaleEvent(const kafka::Message& message) {
  ASSIGN_OR_RETURN(const events::Event event, events::ReadEvent(message));
  const bool starts = event.envelope.Is<pricing::FlashSaleStarted>();
  if (!starts && !event.envelope.Is<pricing::FlashSaleEnded>()) return nullptr;
  auto read = std::make_shared<SaleEvent>();
  if (starts) {
    pricing::FlashSaleStarted payload;
    RETURN_IF_ERROR(event.envelope.ParsePayload(payload));
    read->sale_id = payload.sale_id();
  } else {
    pricing::FlashSaleEnded payload;
    RETURN_IF_ERROR(event.envelope.ParsePayload(payload));
    read->sale_id = payload.sale_id();
  }
  read->tenant = event.context.tenant.str();
  read->kind = starts ? SaleEvent::Kind::kStarted : SaleEvent::Kind::kEnded;
  read->position = PositionOf(message);
  read->occurred_at = event.envelope.occurred_at();
  read->text = message.value;
  return read;
}

}  // namespace bv::notification
