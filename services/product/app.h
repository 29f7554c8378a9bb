#pragma once

#include <memory>
#include <string>

#include "libs/auth/service_tokens.h"
#include "libs/policy/policy.h"
#include "libs/postgres/postgres.h"
#include "libs/rpc/client.h"
#include "libs/service/service.h"
#include "services/product/announcer/announcer.h"
#include "services/product/cache/product_cache.h"
#include "services/product/events/quota_news.h"
#include "services/product/rpc/category_rpc.h"
#include "services/product/rpc/pricing_rpc.h"
#include "services/product/rpc/product_rpc.h"
#include "services/product/rpc/search_rpc.h"
#include "services/product/search/postgres_search.h"

namespace bv::product {

class App {
 public:
  static constexpr std::string_view kName = "product";

  struct Settings {
    postgres::ConnectionSettings connection;
    postgres::PoolSettings pool;
    absl::Duration migrate_timeout;
    ProductCacheSettings cache;
    PostgresSearchSettings search;
    // For changes of overrides and sales, and for announcing them.
    postgres::PoolSettings pricing_pool;
    absl::Duration pricing_timeout;
    absl::Duration announce_interval;
    std::string inventory_address;
    rpc::PeerSettings peer;
    auth::ServiceTokenSettings tokens;
    policy::Settings policy;

    void Bind(config::Binder& b);
  };

  App(const Settings& settings, service::Host& host) : settings_(settings), host_(host) {}
  absl::Status Start();
  void Stop();

 private:
  const Settings settings_;
  service::Host& host_;
  std::unique_ptr<postgres::Pool> pool_;
  std::unique_ptr<postgres::Pool> pricing_pool_;
  std::unique_ptr<ProductCache> cache_;
  std::unique_ptr<ProductRpc> rpc_;
  std::unique_ptr<CategoryRpc> category_rpc_;
  std::unique_ptr<PostgresSearch> search_;
  std::unique_ptr<SearchRpc> search_rpc_;
  std::unique_ptr<auth::ServiceTokens> tokens_;
  std::unique_ptr<SaleQuotas> quotas_;
  std::unique_ptr<policy::Policy> policy_;
  std::unique_ptr<PricingRpc> pricing_rpc_;
  std::unique_ptr<Announcer> announcer_;
  std::unique_ptr<QuotaNews> quota_news_;
};

}  // namespace bv::product
