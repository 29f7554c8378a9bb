// The service commerce.inventory.v1.Inventory.
#pragma once

#include "commerce/inventory/v1/service.pb.h"
#include "libs/postgres/postgres.h"
#include "libs/rpc/server.h"
#include "services/inventory/rpc/catalogue.h"
#include "services/inventory/store/stock_room.h"

namespace bv::inventory {

namespace pb = commerce::inventory::v1;

class InventoryRpc {
 public:
  InventoryRpc(StockRoom& room, postgres::Pool& pool, Catalogue& catalogue, absl::Duration default_hold);

  // Handlers are served by `server` from its start on.
  void Serve(rpc::Server& server);

  rpc::Reply<pb::ReserveResponse> ReserveStock(rpc::Call<pb::ReserveRequest> call);
  rpc::Reply<pb::CommitResponse> CommitStock(rpc::Call<pb::CommitRequest> call);
  rpc::Reply<pb::UncommitResponse> UncommitStock(rpc::Call<pb::UncommitRequest> call);
  rpc::Reply<pb::ShipResponse> ShipStock(rpc::Call<pb::ShipRequest> call);
  rpc::Reply<pb::ReleaseResponse> ReleaseStock(rpc::Call<pb::ReleaseRequest> call);
  rpc::Reply<pb::Reservation> GetReservation(rpc::Call<pb::GetReservationRequest> call);
  rpc::Reply<pb::StockStatus> QueryStock(rpc::Call<pb::StockQuery> call);
  rpc::Reply<pb::BatchGetStockResponse> BatchGetStock(rpc::Call<pb::BatchGetStockRequest> call);
  rpc::Reply<pb::StockStatus> AdjustStock(rpc::Call<pb::AdjustRequest> call);
  rpc::Reply<pb::StockStatus> SetStockPolicy(rpc::Call<pb::StockPolicyRequest> call);

 private:
  void CountFailure(const absl::Status& status);
  async::Task<absl::StatusOr<Shelf>> ReadStock(const RequestContext& context, SkuCode sku);

  StockRoom& room_;
  postgres::Pool& pool_;
  Catalogue& catalogue_;
  absl::Duration default_hold_;
  // Kept, since a sale is sold out thousands of times a second.
  prometheus::Counter& sold_out_;
};

}  // namespace bv::inventory
