// Overrides and sales on the catalogue of ProductTest.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "libs/policy/test_policy.h"
#include "libs/rpc/timestamp.h"
#include "services/product/announcer/announcer.h"
#include "services/product/rpc/pricing_rpc.h"
#include "services/product/tests/inventory_server.h"
#include "services/product/tests/product_fixture.h"

namespace bv::product {

class PricingTest : public ProductTest {
 protected:
  template <class Request, class Response>
  absl::StatusOr<Response> CallPricing(rpc::Reply<Response> (PricingRpc::*method)(rpc::Call<Request>),
                                       const Request& request, const RequestContext& context) {
    return loop_.Run((rpc_.*method)(rpc::Call<Request>(request, context)));
  }
  RequestContext Admin() const { return testing::ContextOf(tenant(), "root", Role::kAdmin); }

  absl::StatusOr<pricing::FlashSale> Schedule(const pricing::CreateFlashSaleRequest& request) {
    return CallPricing(&PricingRpc::CreateFlashSale, request, Staff());
  }
  absl::StatusOr<pricing::FlashSale> Cancel(const std::string& sale_id);
  absl::StatusOr<pricing::PriceOverride> Override(const std::string& sku, std::int64_t price,
                                                  std::optional<absl::Time> until = std::nullopt);
  absl::StatusOr<pricing::PriceOverride> RemoveOverride(const std::string& sku);

  // A request for a sale of `sku` at 6.00 USD; times from now on, by the database's clock.
  pricing::CreateFlashSaleRequest NewSale(const pb::Product& product, const std::string& sku,
                                          absl::Duration start, absl::Duration end,
                                          std::int64_t price = 600) const;
  // A stored sale.
  pricing::FlashSale Sale(const pb::Product& product, const std::string& sku, absl::Duration start,
                          absl::Duration end, std::int64_t price = 600);
  // Moves the times of all sales and overrides of this test's tenant into the past, as if so much time had
  // gone by.
  void LetPass(absl::Duration time) const;

  // The price at a time, by default now.
  pb::ResolvedVariant Price(const std::string& sku, std::optional<absl::Time> at = std::nullopt);
  absl::Time DatabaseTime() const;
  // What was made known of the product's prices, in order: "price SKU 600 FLASH_SALE", "started", "ended
  // TIME".
  std::string Announced(const std::string& product_id) const;
  // A round of an announcer of its own. Returns whether it succeeded.
  bool Announce();

  postgres::ConnectionSettings Impatient() const {
    postgres::ConnectionSettings settings = database().Connection();
    settings.statement_timeout = absl::Seconds(5);
    return settings;
  }

  postgres::Pool reads_{database().Connection(), postgres::PoolSettings{.size = 1, .queue_max = 64}};
  postgres::Pool changes_{Impatient(), postgres::PoolSettings{.size = 2, .queue_max = 64}};
  InventoryServer inventory_;
  testing::JwksFile keys_;
  std::unique_ptr<auth::ServiceTokens> tokens_ = *auth::ServiceTokens::Create(
      "product-service", {.signing_key_file = keys_.path()},
      {.jwks_file = keys_.path(), .development = true, .issuer = "issuer", .audience = "audience"});
  SaleQuotas quotas_{inventory_.address(), {.connections = 1, .timeout = absl::Seconds(5)}, *tokens_};
  policy::TestPolicy policy_;
  PricingRpc rpc_{reads_, changes_, quotas_, policy_};
  testing::Loop loop_;
};

}  // namespace bv::product
