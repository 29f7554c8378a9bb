#include "services/inventory/app.h"

#include "libs/base/macros.h"

namespace bv::inventory {

void App::Settings::Bind(config::Binder& b) {
  connection.Bind(b);
  pool.Bind(b);
  lanes.Bind(b);
  b.Duration("postgres.migrate_timeout", migrate_timeout, {absl::Seconds(1), absl::Minutes(30)});
  b.Text("product.address", product_address);
  peer.Bind(b);
  b.Duration("inventory.hold_ttl", hold_ttl, {absl::Seconds(1), absl::Hours(24)});
}

absl::Status App::Start() {
  RETURN_IF_ERROR(postgres::Migrate(settings_.connection, host_.home() + "/migrations/inventory",
                                    absl::Now() + settings_.migrate_timeout));
  pool_ = std::make_unique<postgres::Pool>(settings_.connection, settings_.pool);
  lanes_ = std::make_unique<StockLanes>("stock", settings_.connection, settings_.lanes, ExecuteStockBatch);
  products_ = std::make_unique<rpc::Client<commerce::product::v1::Products>>(settings_.product_address,
                                                                             settings_.peer);
  rpc_ = std::make_unique<InventoryRpc>(*lanes_, *pool_, *products_, settings_.hold_ttl);
  rpc_->Serve(host_.rpc());
  return absl::OkStatus();
}

void App::Stop() {
  if (lanes_) lanes_->Stop();
  if (pool_) pool_->Stop();
}

}  // namespace bv::inventory
