#include "services/inventory/events/reservation_news.h"

#include "commerce/inventory/v1/events.pb.h"
#include "libs/rpc/timestamp.h"
#include "services/inventory/domain/quota.h"

namespace bv::inventory {
namespace {

namespace pb = commerce::inventory::v1;

// A reservation is requested, held or rejected, and then released or expired; a cart's goes through this for
// every version of its item.
constexpr std::int64_t kStepsOfAVersion = 3;

absl::StatusOr<events::OutboxRow> Row(const google::protobuf::Message& payload, std::int64_t step,
                                      const ReservationNews& news, absl::Time occurred_at) {
  const std::int64_t version = news.reservation.item_version * kStepsOfAVersion + step;
  return events::MakeRow(payload, version, occurred_at, *news.context);
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
    if (IsQuota(allocation.sku)) continue;
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
      return Row(event, 1, news, occurred_at);
    }
    case ReservationNews::Kind::kRejected: {
      auto event = AnswerToCart<pb::ReservationRejected>(news);
      event.set_qty(news.line.qty);
      event.set_reason(news.reason);
      return Row(event, 1, news, occurred_at);
    }
    case ReservationNews::Kind::kReleased:
      return Row(AnswerToCart<pb::ReservationReleased>(news), 2, news, occurred_at);
    case ReservationNews::Kind::kExpired:
      return Row(Expired(news.reservation), 2, news, occurred_at);
  }
  return absl::InternalError("a reservation's news of no kind");
}

}  // namespace bv::inventory
