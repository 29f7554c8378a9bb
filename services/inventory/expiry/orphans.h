// Gives back holds for orders that never came to be, as after a crash between the hold and the order, long
// before they expire.
#pragma once

#include "commerce/order/v1/service.grpc.pb.h"
#include "libs/auth/service_tokens.h"
#include "libs/postgres/postgres.h"
#include "libs/rpc/client.h"
#include "libs/service/job.h"
#include "services/inventory/store/stock_room.h"
#include "services/inventory/store/stock_rows.h"

namespace bv::inventory {

struct OrphanSettings {
  absl::Duration interval;
  // How old a hold has to be before the order service is asked: longer than an order may take to be stored.
  absl::Duration grace;

  void Bind(config::Binder& b);  // inventory.orphan_interval, inventory.orphan_grace
};

class Orphans {
 public:
  using Orders = rpc::Client<commerce::order::v1::Orders>;

  Orphans(boost::asio::io_context& io, postgres::Pool& pool, StockRoom& room, Orders& orders,
          auth::ServiceTokens& tokens, const OrphanSettings& settings);

  void Start() { job_.Start(); }
  void Stop() { job_.Stop(); }

 private:
  async::Task<absl::StatusOr<bool>> Round();
  async::Task<absl::Status> CheckTenant(const TenantId& tenant, const std::vector<FoundHold>& holds);

  postgres::Pool& pool_;
  StockRoom& room_;
  Orders& orders_;
  auth::ServiceTokens& tokens_;
  const absl::Duration grace_;
  // Holds made until then have been asked about; a restart begins anew.
  absl::Time checked_until_;
  prometheus::Counter& released_;
  service::Job job_;
};

}  // namespace bv::inventory
