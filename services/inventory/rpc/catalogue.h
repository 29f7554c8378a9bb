// Which product a SKU is of: needed when the first of it comes in.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/container/flat_hash_map.h>
#include <absl/status/statusor.h>
#include <absl/synchronization/mutex.h>

#include <optional>

#include "commerce/product/v1/service.grpc.pb.h"
#include "libs/async/task.h"
#include "libs/postgres/postgres.h"
#include "libs/rpc/client.h"
#include "services/inventory/domain/desk.h"

namespace bv::inventory {

// Thread safe.
class Catalogue {
 public:
  using Products = rpc::Client<commerce::product::v1::Products>;

  Catalogue(postgres::Pool& pool, Products& products) : pool_(pool), products_(products) {}

  // From the stock, else from the product service, in the name of `context`; then remembered, since it never
  // changes. INVALID_ARGUMENT, reason SKU_UNKNOWN, when the catalogue has no such SKU.
  async::Task<absl::StatusOr<ProductId>> ProductOf(const RequestContext& context, SkuCode sku);

 private:
  async::Task<absl::StatusOr<ProductId>> Find(const RequestContext& context, const SkuCode& sku);
  std::optional<ProductId> Known(const StockKey& key);
  void Remember(const StockKey& key, const ProductId& product);

  postgres::Pool& pool_;
  Products& products_;
  absl::Mutex mutex_;
  absl::flat_hash_map<StockKey, ProductId> known_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bv::inventory
