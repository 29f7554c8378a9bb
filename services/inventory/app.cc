#include "services/inventory/app.h"

#include "libs/base/macros.h"
#include "services/inventory/events/stock_cache.h"

namespace bv::inventory {

void App::Settings::Bind(config::Binder& b) {
  connection.Bind(b);
  pool.Bind(b);
  lanes.Bind(b);
  b.Duration("postgres.migrate_timeout", migrate_timeout, {absl::Seconds(1), absl::Minutes(30)});
  b.Text("product.address", product_address);
  b.Text("order.address", order_address);
  peer.Bind(b);
  tokens.Bind(b);
  b.Duration("inventory.hold_ttl", hold_ttl, {absl::Seconds(1), absl::Hours(24)});
  room.Bind(b);
  b.Duration("inventory.expiry_interval", expiry_interval, {absl::Milliseconds(10), absl::Minutes(1)});
  orphans.Bind(b);
  kafka.Bind(b);
  redis.Bind(b);
  cached_rows.Bind(b);
}

absl::Status App::Start() {
  RETURN_IF_ERROR(postgres::Migrate(settings_.connection, host_.home() + "/migrations/inventory",
                                    absl::Now() + settings_.migrate_timeout));
  pool_ = std::make_unique<postgres::Pool>(settings_.connection, settings_.pool);
  expiry_pool_ = std::make_unique<postgres::Pool>(
      settings_.connection, postgres::PoolSettings{.size = 1, .queue_max = 1}, postgres::Plans::kIndexOnly);
  room_ = std::make_unique<StockRoom>(settings_.connection, settings_.lanes, settings_.room);
  products_ = std::make_unique<rpc::Client<commerce::product::v1::Products>>(settings_.product_address,
                                                                             settings_.peer);
  orders_ =
      std::make_unique<rpc::Client<commerce::order::v1::Orders>>(settings_.order_address, settings_.peer);
  ASSIGN_OR_RETURN(tokens_,
                   auth::ServiceTokens::Create("inventory-service", settings_.tokens, host_.settings().auth));
  catalogue_ = std::make_unique<Catalogue>(*pool_, *products_);
  rpc_ = std::make_unique<InventoryRpc>(*room_, *pool_, *catalogue_, settings_.hold_ttl);
  rpc_->Serve(host_.rpc());
  expirer_ = std::make_unique<Expirer>(host_.io(), *expiry_pool_, *room_, settings_.expiry_interval);
  orphans_ = std::make_unique<Orphans>(host_.io(), *pool_, *room_, *orders_, *tokens_, settings_.orphans);
  hold_requests_ = std::make_unique<HoldRequests>(host_.io(), *room_, settings_.kafka);
  device_deltas_ = std::make_unique<DeviceDeltas>(
      host_.io(), *room_,
      [this](RequestContext context, SkuCode sku) { return FindProduct(std::move(context), std::move(sku)); },
      settings_.kafka);
  ASSIGN_OR_RETURN(redis_, redis::Client::Create(settings_.redis));
  cached_rows_ = std::make_unique<projections::RedisSink>(*redis_, settings_.cached_rows);
  graphql_rows_ = std::make_unique<projections::RedisEviction>(*redis_);
  stock_cache_ = std::make_unique<projections::Runner>(
      settings_.kafka, "inventory-cache",
      std::vector<projections::Route>{{StockCache(), cached_rows_.get()},
                                      {GraphqlStock(), graphql_rows_.get()}});
  expirer_->Start();
  orphans_->Start();
  RETURN_IF_ERROR(hold_requests_->Start());
  RETURN_IF_ERROR(device_deltas_->Start());
  RETURN_IF_ERROR(stock_cache_->Start());
  // While the handlers' threads still run.
  host_.OnDrain([this](absl::Time) {
    device_deltas_->Stop();
    hold_requests_->Stop();
    orphans_->Stop();
    expirer_->Stop();
  });
  return absl::OkStatus();
}

async::Task<absl::StatusOr<ProductId>> App::FindProduct(RequestContext context, SkuCode sku) {
  const RequestContext own = tokens_->ContextFor(context.tenant, context.deadline, context);
  co_return co_await catalogue_->ProductOf(own, std::move(sku));
}

void App::Stop() {
  if (stock_cache_) stock_cache_->Stop();
  if (redis_) redis_->Stop();
  if (room_) room_->Stop();
  if (expiry_pool_) expiry_pool_->Stop();
  if (pool_) pool_->Stop();
}

}  // namespace bv::inventory
