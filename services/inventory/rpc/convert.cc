#include "services/inventory/rpc/convert.h"

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"

namespace bv::inventory {
namespace {

namespace pb = commerce::inventory::v1;

constexpr std::size_t kReservationIdMax = 64;
constexpr absl::Duration kHoldMax = absl::Hours(24);
constexpr char kDefaultLocation[] = "MAIN";

pb::ReservationStatus ToProto(ReservationState state) {
  return state == ReservationState::kHeld ? pb::RESERVATION_STATUS_HELD : pb::RESERVATION_STATUS_RELEASED;
}

absl::StatusOr<std::string> ReservationId(const std::string& id) {
  RETURN_IF_ERROR(CheckText(id, 1, kReservationIdMax, "reservationId"));
  return id;
}

}  // namespace

absl::StatusOr<ReserveCommand> FromProto(const pb::ReserveRequest& request, const RequestContext& context,
                                         absl::Duration default_hold) {
  ReserveCommand command{.user_id = context.user_id};
  ASSIGN_OR_RETURN(command.reservation_id, ReservationId(request.reservation_id()));
  for (int i = 0; i < request.lines_size(); ++i) {
    ASSIGN_OR_RETURN(SkuCode sku, SkuCode::Parse(request.lines(i).sku(), Concat("lines[", i, "].sku")));
    command.lines.push_back({std::move(sku), request.lines(i).qty()});
  }
  RETURN_IF_ERROR(CheckLines(command.lines));
  command.hold = request.hold_seconds() == 0 ? default_hold : absl::Seconds(request.hold_seconds());
  if (command.hold < absl::Seconds(1) || command.hold > kHoldMax) {
    return InvalidValue("holdSeconds", Concat("must be 1 to ", absl::ToInt64Seconds(kHoldMax)));
  }
  return command;
}

absl::StatusOr<ReleaseCommand> FromProto(const pb::ReleaseRequest& request, const RequestContext& context) {
  ReleaseCommand command;
  ASSIGN_OR_RETURN(command.reservation_id, ReservationId(request.reservation_id()));
  if (context.role == Role::kCustomer) command.user_id = context.user_id;
  return command;
}

absl::StatusOr<AdjustCommand> FromProto(const pb::AdjustRequest& request, const RequestContext& context) {
  AdjustCommand command{.user_id = context.user_id, .delta = request.delta()};
  ASSIGN_OR_RETURN(command.sku, SkuCode::Parse(request.sku()));
  ASSIGN_OR_RETURN(
      command.location,
      LocationCode::Parse(request.location_code().empty() ? kDefaultLocation : request.location_code()));
  ASSIGN_OR_RETURN(command.reason, ReasonCode::Parse(request.reason()));
  if (command.delta == 0 || command.delta < -kOnHandMax || command.delta > kOnHandMax) {
    return InvalidValue("delta", Concat("must be -", kOnHandMax, " to ", kOnHandMax, " and not 0"));
  }
  // The same request by the same caller is the same adjustment.
  command.adjustment_id =
      context.idempotency_key.empty()
          ? AdjustmentId::New()
          : AdjustmentId::DerivedFrom({context.tenant.str(), context.user_id, context.idempotency_key});
  return command;
}

pb::ReserveResponse ToReserveResponse(const Reservation& reservation) {
  pb::ReserveResponse response;
  response.set_reservation_id(reservation.reservation_id);
  response.set_status(ToProto(reservation.state));
  const std::int64_t micros = absl::ToUnixMicros(reservation.expires_at);
  response.mutable_expires_at()->set_seconds(micros / 1'000'000);
  response.mutable_expires_at()->set_nanos(static_cast<std::int32_t>(micros % 1'000'000 * 1'000));
  for (const Allocation& allocation : reservation.allocations) {
    pb::Allocation* taken = response.add_allocations();
    taken->set_sku(allocation.sku.str());
    taken->set_location_code(allocation.location.str());
    taken->set_qty(allocation.qty);
  }
  return response;
}

pb::ReleaseResponse ToReleaseResponse(const Reservation& reservation) {
  pb::ReleaseResponse response;
  response.set_reservation_id(reservation.reservation_id);
  response.set_status(ToProto(reservation.state));
  return response;
}

pb::StockStatus ToProto(const SkuCode& sku, const Shelf& shelf) {
  pb::StockStatus status;
  status.set_sku(sku.str());
  status.set_product_id(shelf.product.str());
  std::int64_t on_hand = 0;
  std::int64_t reserved = 0;
  for (const Place& place : shelf.places) {
    on_hand += place.on_hand;
    reserved += place.reserved;
    pb::LocationStock* location = status.add_locations();
    location->set_location_code(place.location.str());
    location->set_on_hand(place.on_hand);
    location->set_reserved(place.reserved);
    location->set_buffer(place.buffer);
    location->set_available(place.available());
    location->set_version(place.version);
  }
  status.set_on_hand(on_hand);
  status.set_reserved(reserved);
  status.set_available(shelf.available());
  return status;
}

}  // namespace bv::inventory
