#include "services/inventory/rpc/convert.h"

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/rpc/ids.h"
#include "libs/rpc/timestamp.h"
#include "services/inventory/domain/quota.h"

namespace bv::inventory {
namespace {

namespace pb = commerce::inventory::v1;

constexpr std::size_t kReservationIdMax = 64;
constexpr std::size_t kQuotaMax = 64;
constexpr absl::Duration kHoldMax = absl::Hours(24 * 30);
constexpr int kReplacesMax = 100;
constexpr int kBatchMax = 100;
constexpr std::int64_t kBufferMax = 1'000'000;

pb::Holder ToProto(Holder holder) {
  switch (holder) {
    case Holder::kOrder:
      return pb::HOLDER_ORDER;
    case Holder::kCart:
      return pb::HOLDER_CART;
    case Holder::kOther:
      break;
  }
  return pb::HOLDER_UNSPECIFIED;
}

template <class Message>
void AddAllocations(const Reservation& reservation, Message& message) {
  for (const Allocation& allocation : reservation.allocations) {
    pb::Allocation* taken = message.add_allocations();
    taken->set_sku(allocation.sku.str());
    taken->set_location_code(allocation.location.str());
    taken->set_qty(allocation.qty);
    taken->set_shipped(allocation.shipped);
  }
}

absl::StatusOr<SkuCode> SkuOrQuota(std::string_view text, std::string_view field) {
  if (!text.starts_with(kQuotaPrefix)) return SkuCode::Parse(text, field);
  RETURN_IF_ERROR(SkuCode::Parse(text.substr(kQuotaPrefix.size()), field).status());
  if (text.size() > kQuotaMax) return InvalidValue(field, Concat("must be 1 to ", kQuotaMax, " characters"));
  return SkuCode::Trusted(std::string(text));
}

using ParseSku = absl::StatusOr<SkuCode> (*)(std::string_view, std::string_view);

absl::StatusOr<std::vector<Line>> Lines(const google::protobuf::RepeatedPtrField<pb::ReserveLine>& wanted,
                                        ParseSku parse) {
  std::vector<Line> lines;
  for (int i = 0; i < wanted.size(); ++i) {
    ASSIGN_OR_RETURN(SkuCode sku, parse(wanted[i].sku(), Concat("lines[", i, "].sku")));
    lines.push_back({std::move(sku), wanted[i].qty()});
  }
  RETURN_IF_ERROR(CheckLines(lines));
  return lines;
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
  ASSIGN_OR_RETURN(command.lines, Lines(request.lines(), SkuOrQuota));
  command.hold = request.hold_seconds() == 0 ? default_hold : absl::Seconds(request.hold_seconds());
  if (command.hold < absl::Seconds(1) || command.hold > kHoldMax) {
    return InvalidValue("holdSeconds", Concat("must be 1 to ", absl::ToInt64Seconds(kHoldMax)));
  }
  if (request.replaces_size() > kReplacesMax)
    return InvalidValue("replaces", Concat("must be at most ", kReplacesMax));
  for (int i = 0; i < request.replaces_size(); ++i) {
    RETURN_IF_ERROR(CheckText(request.replaces(i), 1, kReservationIdMax, Concat("replaces[", i, "]")));
    command.replaces.push_back(request.replaces(i));
  }
  switch (request.split()) {
    case pb::SPLIT_POLICY_UNSPECIFIED:
    case pb::SPLIT_POLICY_ALLOWED:
      break;
    case pb::SPLIT_POLICY_NEVER:
      command.split = Split::kNever;
      break;
    default:
      return InvalidValue("split", "must be ALLOWED or NEVER");
  }
  switch (request.holder()) {
    case pb::HOLDER_UNSPECIFIED:
      break;
    case pb::HOLDER_ORDER:
      command.holder = Holder::kOrder;
      break;
    default:
      return InvalidValue("holder", "must be ORDER or not given; a cart asks by its event");
  }
  return command;
}

absl::StatusOr<CommitCommand> FromProto(const pb::CommitRequest& request) {
  CommitCommand command;
  ASSIGN_OR_RETURN(command.reservation_id, ReservationId(request.reservation_id()));
  return command;
}

absl::StatusOr<UncommitCommand> FromProto(const pb::UncommitRequest& request) {
  UncommitCommand command;
  ASSIGN_OR_RETURN(command.reservation_id, ReservationId(request.reservation_id()));
  return command;
}

absl::StatusOr<ShipCommand> FromProto(const pb::ShipRequest& request) {
  ShipCommand command{.shipment_id = request.shipment_id()};
  ASSIGN_OR_RETURN(command.reservation_id, ReservationId(request.reservation_id()));
  RETURN_IF_ERROR(CheckText(request.shipment_id(), 1, kReservationIdMax, "shipmentId"));
  ASSIGN_OR_RETURN(command.lines, Lines(request.lines(), SkuCode::Parse));
  return command;
}

absl::StatusOr<ReleaseCommand> FromProto(const pb::ReleaseRequest& request, const RequestContext& context) {
  ReleaseCommand command;
  ASSIGN_OR_RETURN(command.reservation_id, ReservationId(request.reservation_id()));
  if (context.role == Role::kCustomer) command.user_id = context.user_id;
  return command;
}

absl::StatusOr<AdjustCommand> FromProto(const pb::AdjustRequest& request, const RequestContext& context) {
  AdjustCommand command{.user_id = context.user_id,
                        .delta = request.delta(),
                        .force = request.force() ? Force::kYes : Force::kNo};
  // Staff adjust goods; a quota is for the service that has set it up.
  ASSIGN_OR_RETURN(command.sku, context.role == Role::kService ? SkuOrQuota(request.sku(), "sku")
                                                               : SkuCode::Parse(request.sku()));
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

absl::StatusOr<PolicyCommand> FromProto(const pb::StockPolicyRequest& request,
                                        const RequestContext& context) {
  PolicyCommand command{.user_id = context.user_id};
  ASSIGN_OR_RETURN(command.sku, SkuCode::Parse(request.sku()));
  ASSIGN_OR_RETURN(command.location, LocationCode::Parse(request.location_code()));
  if (request.has_buffer()) {
    if (request.buffer() < 0 || request.buffer() > kBufferMax)
      return InvalidValue("buffer", Concat("must be 0 to ", kBufferMax));
    command.policy.buffer = request.buffer();
  }
  if (request.has_priority()) {
    if (request.priority() < 0 || request.priority() > kPriorityMax)
      return InvalidValue("priority", Concat("must be 0 to ", kPriorityMax));
    command.policy.priority = request.priority();
  }
  if (request.has_is_hot()) command.policy.is_hot = request.is_hot();
  return command;
}

absl::StatusOr<std::vector<ProductId>> FromProto(const pb::BatchGetStockRequest& request) {
  return rpc::IdsFromProto<ProductId>(request.product_ids(), kBatchMax, "productIds");
}

pb::ReservationStatus ToProto(ReservationState state) {
  switch (state) {
    case ReservationState::kHeld:
      return pb::RESERVATION_STATUS_HELD;
    case ReservationState::kCommitted:
      return pb::RESERVATION_STATUS_COMMITTED;
    case ReservationState::kReleased:
      return pb::RESERVATION_STATUS_RELEASED;
    case ReservationState::kExpired:
      return pb::RESERVATION_STATUS_EXPIRED;
    case ReservationState::kShipped:
      return pb::RESERVATION_STATUS_SHIPPED;
  }
  return pb::RESERVATION_STATUS_UNSPECIFIED;
}

pb::ReserveResponse ToReserveResponse(const Reservation& reservation) {
  auto response = ToStateResponse<pb::ReserveResponse>(reservation);
  *response.mutable_expires_at() = rpc::ToTimestamp(reservation.expires_at);
  *response.mutable_created_at() = rpc::ToTimestamp(reservation.created_at);
  AddAllocations(reservation, response);
  return response;
}

pb::ShipResponse ToShipResponse(const Reservation& reservation) {
  auto response = ToStateResponse<pb::ShipResponse>(reservation);
  AddAllocations(reservation, response);
  return response;
}

pb::Reservation ToProto(const Reservation& reservation) {
  auto message = ToStateResponse<pb::Reservation>(reservation);
  message.set_user_id(reservation.user_id);
  message.set_holder(ToProto(reservation.holder));
  *message.mutable_created_at() = rpc::ToTimestamp(reservation.created_at);
  *message.mutable_expires_at() = rpc::ToTimestamp(reservation.expires_at);
  AddAllocations(reservation, message);
  return message;
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
    location->set_priority(place.priority);
  }
  status.set_on_hand(on_hand);
  status.set_reserved(reserved);
  status.set_available(shelf.available());
  status.set_is_hot(shelf.is_hot);
  return status;
}

}  // namespace bv::inventory
