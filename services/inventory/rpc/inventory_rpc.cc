#include "services/inventory/rpc/inventory_rpc.h"

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/telemetry/telemetry.h"
#include "services/inventory/domain/quota.h"
#include "services/inventory/rpc/convert.h"
#include "services/inventory/store/stock_rows.h"

namespace bv::inventory {
namespace {

constexpr char kOutOfStock[] = "OUT_OF_STOCK";

prometheus::Counter& FailuresOf(const std::string& reason) {
  return telemetry::Counter("inventory_reservation_failures_total",
                            "Reservations that were refused or failed.", {{"reason", reason}});
}

}  // namespace

InventoryRpc::InventoryRpc(StockRoom& room, postgres::Pool& pool, Catalogue& catalogue,
                           absl::Duration default_hold)
    : room_(room),
      pool_(pool),
      catalogue_(catalogue),
      default_hold_(default_hold),
      sold_out_(FailuresOf(kOutOfStock)) {}

void InventoryRpc::Serve(rpc::Server& server) {
  const std::string_view service = "commerce.inventory.v1.Inventory";
  server.Handle(service, "ReserveStock", *this, &InventoryRpc::ReserveStock);
  server.Handle(service, "CommitStock", *this, &InventoryRpc::CommitStock);
  server.Handle(service, "UncommitStock", *this, &InventoryRpc::UncommitStock);
  server.Handle(service, "ShipStock", *this, &InventoryRpc::ShipStock);
  server.Handle(service, "ReleaseStock", *this, &InventoryRpc::ReleaseStock);
  server.Handle(service, "GetReservation", *this, &InventoryRpc::GetReservation);
  server.Handle(service, "QueryStock", *this, &InventoryRpc::QueryStock);
  server.Handle(service, "BatchGetStock", *this, &InventoryRpc::BatchGetStock);
  server.Handle(service, "AdjustStock", *this, &InventoryRpc::AdjustStock);
  server.Handle(service, "SetStockPolicy", *this, &InventoryRpc::SetStockPolicy);
}

rpc::Reply<pb::ReserveResponse> InventoryRpc::ReserveStock(rpc::Call<pb::ReserveRequest> call) {
  CO_ASSIGN_OR_RETURN(ReserveCommand command, FromProto(call.request(), call.context(), default_hold_));
  absl::StatusOr<Outcome> outcome = co_await room_.Submit(std::move(command), call.context());
  if (!outcome.ok()) {
    CountFailure(outcome.status());
    co_return outcome.status();
  }
  co_return ToReserveResponse(outcome->reservation);
}

void InventoryRpc::CountFailure(const absl::Status& status) {
  const std::string reason = ErrorReason(status);
  if (reason == kOutOfStock) return sold_out_.Increment();
  FailuresOf(reason.empty() ? absl::StatusCodeToString(status.code()) : reason).Increment();
}

rpc::Reply<pb::CommitResponse> InventoryRpc::CommitStock(rpc::Call<pb::CommitRequest> call) {
  CO_ASSIGN_OR_RETURN(CommitCommand command, FromProto(call.request()));
  CO_ASSIGN_OR_RETURN(const Outcome outcome, co_await room_.Submit(std::move(command), call.context()));
  co_return ToStateResponse<pb::CommitResponse>(outcome.reservation);
}

rpc::Reply<pb::UncommitResponse> InventoryRpc::UncommitStock(rpc::Call<pb::UncommitRequest> call) {
  CO_ASSIGN_OR_RETURN(UncommitCommand command, FromProto(call.request()));
  CO_ASSIGN_OR_RETURN(const Outcome outcome, co_await room_.Submit(std::move(command), call.context()));
  co_return ToStateResponse<pb::UncommitResponse>(outcome.reservation);
}

rpc::Reply<pb::ShipResponse> InventoryRpc::ShipStock(rpc::Call<pb::ShipRequest> call) {
  CO_ASSIGN_OR_RETURN(ShipCommand command, FromProto(call.request()));
  CO_ASSIGN_OR_RETURN(const Outcome outcome, co_await room_.Submit(std::move(command), call.context()));
  co_return ToShipResponse(outcome.reservation);
}

rpc::Reply<pb::ReleaseResponse> InventoryRpc::ReleaseStock(rpc::Call<pb::ReleaseRequest> call) {
  CO_ASSIGN_OR_RETURN(ReleaseCommand command, FromProto(call.request(), call.context()));
  CO_ASSIGN_OR_RETURN(const Outcome outcome, co_await room_.Submit(std::move(command), call.context()));
  co_return ToStateResponse<pb::ReleaseResponse>(outcome.reservation);
}

rpc::Reply<pb::Reservation> InventoryRpc::GetReservation(rpc::Call<pb::GetReservationRequest> call) {
  using Found = std::optional<Reservation>;
  std::function<absl::StatusOr<Found>(postgres::Session&)> read =
      [&](postgres::Session& session) -> absl::StatusOr<Found> {
    return ReadReservation(session, call.context().tenant, call.request().reservation_id());
  };
  CO_ASSIGN_OR_RETURN(const Found found, co_await pool_.Read<Found>(call.context(), std::move(read)));
  if (!found) co_return NotFound("RESERVATION_NOT_FOUND", "there is no such reservation");
  co_return ToProto(*found);
}

rpc::Reply<pb::StockStatus> InventoryRpc::QueryStock(rpc::Call<pb::StockQuery> call) {
  CO_ASSIGN_OR_RETURN(const SkuCode sku, SkuCode::Parse(call.request().sku()));
  CO_ASSIGN_OR_RETURN(const Shelf shelf, co_await ReadStock(call.context(), sku));
  if (shelf.places.empty()) co_return NotFound("SKU_NOT_FOUND", Concat("there is no stock of ", sku.str()));
  co_return ToProto(sku, shelf);
}

rpc::Reply<pb::BatchGetStockResponse> InventoryRpc::BatchGetStock(rpc::Call<pb::BatchGetStockRequest> call) {
  CO_ASSIGN_OR_RETURN(const std::vector<ProductId> products, FromProto(call.request()));
  std::function<absl::StatusOr<ProductShelves>(postgres::Session&)> read =
      [&](postgres::Session& session) -> absl::StatusOr<ProductShelves> {
    return ReadShelves(session, call.context().tenant, products);
  };
  CO_ASSIGN_OR_RETURN(const ProductShelves shelves,
                      co_await pool_.Read<ProductShelves>(call.context(), std::move(read)));
  pb::BatchGetStockResponse response;
  for (const auto& [sku, shelf] : shelves) *response.add_stock() = ToProto(sku, shelf);
  co_return response;
}

rpc::Reply<pb::StockStatus> InventoryRpc::AdjustStock(rpc::Call<pb::AdjustRequest> call) {
  CO_ASSIGN_OR_RETURN(AdjustCommand command, FromProto(call.request(), call.context()));
  const SkuCode sku = command.sku;
  if (!IsQuota(sku)) {
    CO_ASSIGN_OR_RETURN(command.product, co_await catalogue_.ProductOf(call.context(), sku));
  }
  CO_ASSIGN_OR_RETURN(const Outcome outcome, co_await room_.Submit(std::move(command), call.context()));
  co_return ToProto(sku, outcome.shelf);
}

rpc::Reply<pb::StockStatus> InventoryRpc::SetStockPolicy(rpc::Call<pb::StockPolicyRequest> call) {
  CO_ASSIGN_OR_RETURN(PolicyCommand command, FromProto(call.request(), call.context()));
  const SkuCode sku = command.sku;
  CO_ASSIGN_OR_RETURN(const Outcome outcome, co_await room_.Submit(std::move(command), call.context()));
  co_return ToProto(sku, outcome.shelf);
}

async::Task<absl::StatusOr<Shelf>> InventoryRpc::ReadStock(const RequestContext& context, SkuCode sku) {
  std::function<absl::StatusOr<Shelf>(postgres::Session&)> read =
      [&](postgres::Session& session) -> absl::StatusOr<Shelf> {
    return ReadShelf(session, context.tenant, sku);
  };
  co_return co_await pool_.Read<Shelf>(context, std::move(read));
}

}  // namespace bv::inventory
