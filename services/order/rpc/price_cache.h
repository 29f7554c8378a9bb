// The catalogue's answers about what is sold and at what price, kept until product says that they have
// changed.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/container/flat_hash_map.h>
#include <absl/synchronization/mutex.h>
#include <absl/time/time.h>

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "commerce/product/v1/service.pb.h"
#include "libs/base/values.h"
#include "libs/config/config.h"

namespace bv::order {

struct PriceCacheSettings {
  // Variants kept; above it all are asked for anew.
  int variants_max = 100'000;
  // The longest that one is kept without asking again.
  absl::Duration ttl = absl::Minutes(1);

  void Bind(config::Binder& b);  // order.price_cache_max, order.price_cache_ttl
};

// Thread safe. A price is a schedule with its validity, so a kept one is exact at the edges of a sale. It is
// used only while the events of product are heard (`is_current`); what an event says is older than the event
// is dropped and not taken in again.
class PriceCache {
 public:
  using Variant = commerce::product::v1::ResolvedVariant;
  using Request = commerce::product::v1::ResolveVariantsRequest;
  using Response = commerce::product::v1::ResolveVariantsResponse;

  PriceCache(const PriceCacheSettings& settings, std::function<bool()> is_current);

  // The whole answer, if all of it is known and valid at `at`, by the database's clock.
  std::optional<Response> Find(const TenantId& tenant, const Request& request, absl::Time at) const;
  // Takes in what the catalogue answered; only what is sold is kept.
  void Keep(const TenantId& tenant, const Request& request, const Response& response);
  // Product has made this version of it known.
  void Changed(const TenantId& tenant, const std::string& product_id, std::int64_t version);

 private:
  // Tenant, and "s<SKU>" or "p<product id>".
  using Key = std::pair<std::string, std::string>;
  using ProductKey = std::pair<std::string, std::string>;
  struct Entry {
    Variant variant;
    // By MonotonicNow(); what is valid goes by the database's clock.
    absl::Time kept_until;
  };
  struct Product {
    std::vector<Key> entries;
    // The newest version that an event told of.
    std::int64_t version = 0;
  };

  static Key KeyOf(const TenantId& tenant, const commerce::product::v1::VariantRef& ref);

  const PriceCacheSettings settings_;
  const std::function<bool()> is_current_;
  mutable absl::Mutex mutex_;
  absl::flat_hash_map<Key, Entry> entries_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<ProductKey, Product> products_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bv::order
