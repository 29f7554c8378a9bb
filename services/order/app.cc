#include "services/order/app.h"

#include "libs/base/macros.h"
#include "services/order/events/price_changes.h"
#include "services/order/events/status_cache.h"

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
  kafka.Bind(b);
  redis.Bind(b);
  cached_rows.Bind(b);
  price_cache.Bind(b);
  b.Duration("order.bank_transfer_hold", bank_transfer_hold, {absl::Minutes(1), absl::Hours(24 * 30)});
  lifecycle.Bind(b);
  policy.Bind(b);
}

absl::Status App::Start() {
  RETURN_IF_ERROR(postgres::Migrate(settings_.connection, host_.home() + "/migrations/order",
                                    absl::Now() + settings_.migrate_timeout));
  pool_ = std::make_unique<postgres::Pool>(settings_.connection, settings_.pool);
  look_ups_ = std::make_unique<LookUpLanes>("order_look_up", settings_.connection, settings_.lanes,
                                            ExecuteLookUpBatch, postgres::LaneMode::kRead);
  lanes_ = std::make_unique<OrderLanes>("order", settings_.connection, settings_.lanes, ExecuteCreateBatch);
  peers_.reset(new Peers{{settings_.product_address, settings_.peer},
                         {settings_.inventory_address, settings_.peer},
                         {settings_.cart_address, settings_.peer}});
  prices_ = std::make_unique<PriceCache>(
      settings_.price_cache, [this] { return price_changes_ && price_changes_->caught_up_lately(); });
  price_changes_ = MakePriceChanges(settings_.kafka, *prices_);
  RETURN_IF_ERROR(price_changes_->Run());
  checkout_ = std::make_unique<Checkout>(*peers_, *pool_, *look_ups_, *lanes_, *prices_,
                                         settings_.bank_transfer_hold);
  rpc_ = std::make_unique<OrderRpc>(*checkout_, *pool_);
  rpc_->Serve(host_.rpc());
  ASSIGN_OR_RETURN(policy_, policy::Opa::Create(host_.io(), settings_.policy));
  lifecycle_.reset(new Lifecycle({.host = host_,
                                  .pool = *pool_,
                                  .inventory = peers_->inventory,
                                  .policy = *policy_,
                                  .connection = settings_.connection,
                                  .lanes = settings_.lanes,
                                  .peer = settings_.peer,
                                  .kafka = settings_.kafka},
                                 settings_.lifecycle));
  RETURN_IF_ERROR(lifecycle_->Start());
  ASSIGN_OR_RETURN(redis_, redis::Client::Create(settings_.redis));
  cached_rows_ = std::make_unique<projections::RedisSink>(*redis_, settings_.cached_rows);
  status_cache_ = std::make_unique<projections::Runner>(
      settings_.kafka, "order-cache", std::vector<projections::Route>{{StatusCache(), cached_rows_.get()}});
  return status_cache_->Start();
}

void App::Stop() {
  if (status_cache_) status_cache_->Stop();
  if (redis_) redis_->Stop();
  if (lifecycle_) lifecycle_->Stop();
  if (price_changes_) price_changes_->Stop();
  if (look_ups_) look_ups_->Stop();
  if (lanes_) lanes_->Stop();
  if (pool_) pool_->Stop();
}

}  // namespace bv::order
