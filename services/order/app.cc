#include "services/order/app.h"

#include "libs/base/macros.h"

namespace bv::order {

void App::Settings::Bind(config::Binder& b) {
  connection.Bind(b);
  pool.Bind(b);
  lanes.Bind(b);
  b.Duration("postgres.migrate_timeout", migrate_timeout, {absl::Seconds(1), absl::Minutes(30)});
  b.Text("product.address", product_address);
  b.Text("inventory.address", inventory_address);
  b.Text("cart.address", cart_address);
  peer.Bind(b);
}

absl::Status App::Start() {
  RETURN_IF_ERROR(postgres::Migrate(settings_.connection, host_.home() + "/migrations/order",
                                    absl::Now() + settings_.migrate_timeout));
  pool_ = std::make_unique<postgres::Pool>(settings_.connection, settings_.pool);
  lanes_ = std::make_unique<OrderLanes>("order", settings_.connection, settings_.lanes, ExecuteCreateBatch);
  peers_.reset(new Peers{{settings_.product_address, settings_.peer},
                         {settings_.inventory_address, settings_.peer},
                         {settings_.cart_address, settings_.peer}});
  checkout_ = std::make_unique<Checkout>(*peers_, *pool_, *lanes_);
  rpc_ = std::make_unique<OrderRpc>(*checkout_, *pool_);
  rpc_->Serve(host_.rpc());
  return absl::OkStatus();
}

void App::Stop() {
  if (lanes_) lanes_->Stop();
  if (pool_) pool_->Stop();
}

}  // namespace bv::order
