#include "services/inventory/events/reservation_news.h"

#include "commerce/inventory/v1/events.pb.h"
#include "libs/rpc/timestamp.h"

namespace bv::inventory {
namespace {

namespace pb = commerce::inventory::v1;

#define BV_RESERVATION_EVENT(verb)                                                                     \
  events::EventType {                                                                                  \
    .name = "ecommerce.inventory.reservation." verb ".v1", .topic = "ecommerce.inventory.reservation", \
    .schema_version = "1.0"                                                                            \
  }
constexpr events::EventType kHeld = BV_RESERVATION_EVENT("held");
constexpr events::EventType kRejected = BV_RESERVATION_EVENT("rejected");
constexpr events::EventType kReleased = BV_RESERVATION_EVENT("released");
constexpr events::EventType kExpired = BV_RESERVATION_EVENT("expired");
#undef BV_RESERVATION_EVENT

// A reservation is requested, held or rejected, and then released or expired; a cart's goes through this for
// every version of its item.
constexpr std::int64_t kStepsOfAVersion = 3;

absl::StatusOr<events::OutboxRow> Row(const events::EventType& type, std::int64_t step,
                                      const ReservationNews& news, absl::Time occurred_at,
                                      const google::protobuf::Message& payload) {
  const Reservation& r = news.reservation;
  return events::MakeRow(type, "inventory-service", r.reservation_id,
                         r.item_version * kStepsOfAVersion + step, occurred_at, *news.context, payload);
}

// The fields that all answers to a cart have.
template <class Event>
Event AnswerToCart(const ReservationNews& news) {
  Event event;
  event.set_reservation_id(news.reservation.reservation_id);
  event.set_cart_id(news.reservation.cart_id);
  event.set_sku(news.line.sku.str());
  event.set_item_version(news.reservation.item_version);
  return event;
}

pb::ReservationExpired Expired(const Reservation& r) {
  pb::ReservationExpired event;
  event.set_reservation_id(r.reservation_id);
  event.set_holder(std::string(Word(r.holder)));
  event.set_cart_id(r.cart_id);
  event.set_user_id(r.user_id);
  for (const Allocation& allocation : r.allocations) {
    auto* line = event.add_lines();
    line->set_sku(allocation.sku.str());
    line->set_location_code(allocation.location.str());
    line->set_qty(allocation.qty);
  }
  *event.mutable_expires_at() = rpc::ToTimestamp(r.expires_at);
  event.set_item_version(r.item_version);
  return event;
}

}  // namespace

absl::StatusOr<events::OutboxRow> ReservationNewsRow(const ReservationNews& news, absl::Time occurred_at) {
  switch (news.kind) {
    case ReservationNews::Kind::kHeld: {
      auto event = AnswerToCart<pb::ReservationHeld>(news);
      event.set_qty(news.line.qty);
      *event.mutable_expires_at() = rpc::ToTimestamp(news.reservation.expires_at);
      return Row(kHeld, 1, news, occurred_at, event);
    }
    case ReservationNews::Kind::kRejected: {
      auto event = AnswerToCart<pb::ReservationRejected>(news);
      event.set_qty(news.line.qty);
      event.set_reason(news.reason);
      return Row(kRejected, 1, news, occurred_at, event);
    }
    case ReservationNews::Kind::kReleased:
      return Row(kReleased, 2, news, occurred_at, AnswerToCart<pb::ReservationReleased>(news));
    case ReservationNews::Kind::kExpired:
      return Row(kExpired, 2, news, occurred_at, Expired(news.reservation));
  }
  return absl::InternalError("a reservation's news of no kind");
}

}  // namespace bv::inventory
