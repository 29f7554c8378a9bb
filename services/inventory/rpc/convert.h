// protobuf ↔ domain, with the names of the API in the errors.
#pragma once

#include "commerce/inventory/v1/service.pb.h"
#include "libs/base/request_context.h"
#include "services/inventory/domain/commands.h"

namespace bv::inventory {

absl::StatusOr<ReserveCommand> FromProto(const commerce::inventory::v1::ReserveRequest& request,
                                         const RequestContext& context, absl::Duration default_hold);
absl::StatusOr<CommitCommand> FromProto(const commerce::inventory::v1::CommitRequest& request);
absl::StatusOr<UncommitCommand> FromProto(const commerce::inventory::v1::UncommitRequest& request);
absl::StatusOr<ShipCommand> FromProto(const commerce::inventory::v1::ShipRequest& request);
absl::StatusOr<ReleaseCommand> FromProto(const commerce::inventory::v1::ReleaseRequest& request,
                                         const RequestContext& context);
// Without the product.
absl::StatusOr<AdjustCommand> FromProto(const commerce::inventory::v1::AdjustRequest& request,
                                        const RequestContext& context);

absl::StatusOr<PolicyCommand> FromProto(const commerce::inventory::v1::StockPolicyRequest& request,
                                        const RequestContext& context);

// 1 to 100.
absl::StatusOr<std::vector<ProductId>> FromProto(
    const commerce::inventory::v1::BatchGetStockRequest& request);

commerce::inventory::v1::ReservationStatus ToProto(ReservationState state);
commerce::inventory::v1::ReserveResponse ToReserveResponse(const Reservation& reservation);
// `reservation` with what the shipment took.
commerce::inventory::v1::ShipResponse ToShipResponse(const Reservation& reservation);
// Of a response that has the id and the state only.
template <class Response>
Response ToStateResponse(const Reservation& reservation) {
  Response response;
  response.set_reservation_id(reservation.reservation_id);
  response.set_status(ToProto(reservation.state));
  return response;
}
commerce::inventory::v1::Reservation ToProto(const Reservation& reservation);
commerce::inventory::v1::StockStatus ToProto(const SkuCode& sku, const Shelf& shelf);

}  // namespace bv::inventory
