// The rows of flash sales, and what of prices is due to be announced. Everything here runs inside a
// transaction or read of `session`, and throws what libpqxx throws.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "libs/postgres/postgres.h"
#include "services/product/domain/flash_sale.h"

namespace bv::product {

// Which sales a list shows, newest first.
struct SaleFilter {
  // Only of this product; empty for all.
  ProductId product;
  // Only sales that are older than this one; empty for the first page.
  FlashSaleId before;
  int limit = 0;
};

// With the time of reading, by the database's clock.
struct SaleSeen {
  FlashSale sale;
  absl::Time now;
};

std::optional<SaleSeen> ReadSale(postgres::Session& session, const TenantId& tenant, const FlashSaleId& id);
std::vector<SaleSeen> ListSales(postgres::Session& session, const TenantId& tenant, const SaleFilter& filter);

// The first offer whose variant another sale has at some time of this one.
std::optional<std::size_t> FindOverlap(postgres::Session& session, const TenantId& tenant,
                                       const FlashSale& sale);
void InsertSale(postgres::Session& session, const TenantId& tenant, const FlashSale& sale,
                const std::string& actor, absl::Time now);
// Stores what Cancel did. A sale that never begins has nothing to announce.
void StoreCanceled(postgres::Session& session, const TenantId& tenant, const FlashSale& sale);

// What an event of a limited sale's quota says.
struct QuotaTurn {
  FlashSaleId sale;
  // Nothing is left, or something again.
  bool sold_out = false;
  // Grows with every change of the quota.
  std::int64_t quota_version = 0;
};
// The product of the sale, if it is news: none when the sale is over or not known, is so already, or
// something newer was heard.
std::optional<ProductId> FindQuotaTurn(postgres::Session& session, const TenantId& tenant,
                                       const QuotaTurn& turn);
// From `at` on the sale's prices hold no more, or again.
void StoreQuotaTurn(postgres::Session& session, const TenantId& tenant, const QuotaTurn& turn, absl::Time at);

// What of a product's prices has come to pass by time and is not announced.
struct Due {
  struct Sale {
    FlashSale sale;
    bool start_announced = false;
  };
  std::vector<Sale> sales;
  std::vector<absl::Time> override_ends;
};
// Up to `until`, and marks it as announced.
Due TakeDue(postgres::Session& session, const TenantId& tenant, const ProductId& product, absl::Time until);
// Whether TakeDue would find something now.
bool IsDue(postgres::Session& session, const TenantId& tenant, const ProductId& product);

struct DueProduct {
  TenantId tenant;
  ProductId product;
};
// At most `limit` products of all tenants for which something is due, the longest waiting first. In a session
// of postgres::EveryTenant().
std::vector<DueProduct> FindDueProducts(postgres::Session& session, int limit);

}  // namespace bv::product
