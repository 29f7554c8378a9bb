#include "services/product/app.h"

#include "libs/base/macros.h"

namespace bv::product {

void App::Settings::Bind(config::Binder& b) {
  connection.Bind(b);
  pool.Bind(b);
  b.Duration("postgres.migrate_timeout", migrate_timeout, {absl::Seconds(1), absl::Minutes(30)});
  cache.Bind(b);
  search.Bind(b);
  b.Integer("pricing.pool_size", pricing_pool.size, {1, 20});
  b.Integer("pricing.queue_max", pricing_pool.queue_max, {1, 1'000});
  b.Duration("pricing.timeout", pricing_timeout, {absl::Milliseconds(100), absl::Minutes(1)});
  b.Duration("pricing.announce_interval", announce_interval, {absl::Milliseconds(10), absl::Minutes(1)});
  b.Text("inventory.address", inventory_address);
  peer.Bind(b);
  tokens.Bind(b);
  policy.Bind(b);
}

absl::Status App::Start() {
  RETURN_IF_ERROR(postgres::Migrate(settings_.connection, host_.home() + "/migrations/product",
                                    absl::Now() + settings_.migrate_timeout));
  pool_ = std::make_unique<postgres::Pool>(settings_.connection, settings_.pool);
  ASSIGN_OR_RETURN(cache_, ProductCache::Create(settings_.cache));
  RETURN_IF_ERROR(cache_->Start());
  rpc_ = std::make_unique<ProductRpc>(*pool_, cache_.get());
  rpc_->Serve(host_.rpc());
  category_rpc_ = std::make_unique<CategoryRpc>(*pool_);
  category_rpc_->Serve(host_.rpc());
  search_ = std::make_unique<PostgresSearch>(settings_.connection, settings_.search);
  search_rpc_ = std::make_unique<SearchRpc>(*search_, *pool_);
  search_rpc_->Serve(host_.rpc());
  postgres::ConnectionSettings impatient = settings_.connection;
  impatient.statement_timeout = settings_.pricing_timeout;
  pricing_pool_ = std::make_unique<postgres::Pool>(impatient, settings_.pricing_pool);
  ASSIGN_OR_RETURN(tokens_,
                   auth::ServiceTokens::Create("product-service", settings_.tokens, host_.settings().auth));
  quotas_ = std::make_unique<SaleQuotas>(settings_.inventory_address, settings_.peer, *tokens_);
  ASSIGN_OR_RETURN(policy_, policy::Opa::Create(host_.io(), settings_.policy));
  pricing_rpc_ = std::make_unique<PricingRpc>(*pool_, *pricing_pool_, *quotas_, *policy_);
  pricing_rpc_->Serve(host_.rpc());
  announcer_ = std::make_unique<Announcer>(host_.io(), *pricing_pool_, settings_.announce_interval);
  announcer_->Start();
  quota_news_ = std::make_unique<QuotaNews>(settings_.cache.kafka, impatient);
  return quota_news_->Start();
}

void App::Stop() {
  if (quota_news_) quota_news_->Stop();
  if (announcer_) announcer_->Stop();
  if (pricing_pool_) pricing_pool_->Stop();
  if (cache_) cache_->Stop();
  if (search_) search_->Stop();
  if (pool_) pool_->Stop();
}

}  // namespace bv::product
