// The service commerce.analytics.v1.Analytics.
#pragma once

#include <functional>

#include "commerce/analytics/v1/service.pb.h"
#include "libs/postgres/postgres.h"
#include "libs/read_models/time_zones.h"
#include "libs/rpc/server.h"
#include "services/analytics/live/live_revenue.h"

namespace bv::analytics {

namespace pb = commerce::analytics::v1;

class AnalyticsRpc {
 public:
  AnalyticsRpc(postgres::Pool& pool, const LiveRevenue& live, read_models::TimeZones zones)
      : pool_(pool), live_(live), zones_(std::move(zones)) {}

  void Serve(rpc::Server& server);

  rpc::Reply<pb::ListOrdersByCustomerResponse> ListOrdersByCustomer(
      rpc::Call<pb::ListOrdersByCustomerRequest> call);
  rpc::Reply<pb::GetInventorySnapshotResponse> GetInventorySnapshot(
      rpc::Call<pb::GetInventorySnapshotRequest> call);
  rpc::Reply<pb::GetDailyRevenueResponse> GetDailyRevenue(rpc::Call<pb::GetDailyRevenueRequest> call);
  rpc::Reply<pb::GetLiveRevenueResponse> GetLiveRevenue(rpc::Call<pb::GetLiveRevenueRequest> call);

 private:
  postgres::Pool& pool_;
  const LiveRevenue& live_;
  const read_models::TimeZones zones_;
};

}  // namespace bv::analytics
