// protobuf ↔ domain, with the names of the API in the errors.
#pragma once

#include "commerce/inventory/v1/service.pb.h"
#include "libs/base/request_context.h"
#include "services/inventory/domain/commands.h"

namespace bv::inventory {

absl::StatusOr<ReserveCommand> FromProto(const commerce::inventory::v1::ReserveRequest& request,
                                         const RequestContext& context, absl::Duration default_hold);
absl::StatusOr<ReleaseCommand> FromProto(const commerce::inventory::v1::ReleaseRequest& request,
                                         const RequestContext& context);
// Without the product.
absl::StatusOr<AdjustCommand> FromProto(const commerce::inventory::v1::AdjustRequest& request,
                                        const RequestContext& context);

commerce::inventory::v1::ReserveResponse ToReserveResponse(const Reservation& reservation);
commerce::inventory::v1::ReleaseResponse ToReleaseResponse(const Reservation& reservation);
commerce::inventory::v1::StockStatus ToProto(const SkuCode& sku, const Shelf& shelf);

}  // namespace bv::inventory
