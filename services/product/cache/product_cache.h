// Products as GetProduct answers them, in Redis: "product:<tenant>:<productId>".
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "commerce/product/v1/service.pb.h"
#include "libs/async/task.h"
#include "libs/base/id.h"
#include "libs/base/request_context.h"
#include "libs/kafka/consumer.h"
#include "libs/projections/redis_eviction.h"
#include "libs/projections/redis_rows.h"
#include "libs/projections/redis_sink.h"
#include "libs/projections/runner.h"
#include "libs/redis/redis.h"
#include "libs/telemetry/telemetry.h"

namespace bv::product {

struct ProductCacheSettings {
  redis::Settings redis;
  projections::RedisSinkSettings rows;
  kafka::ConsumerSettings kafka;

  void Bind(config::Binder& b);  // redis.*, kafka.*
};

// Read through: what is missing is read from the tables and filled in, by its version. An event of product
// removes everything that is older than it; a fill of something older that comes after that is refused.
// Used only while the events are heard, so that nothing is shown that product has long since taken back.
// Thread safe.
class ProductCache {
 public:
  static constexpr char kGroup[] = "product-cache";
  using Shown = commerce::product::v1::Product;

  // Tests have a group and topics of their own.
  static absl::StatusOr<std::unique_ptr<ProductCache>> Create(const ProductCacheSettings& settings,
                                                              const std::string& group = kGroup,
                                                              const std::vector<std::string>& topics = {});

  // Begins to hear of changes; Kafka and Redis may come later. INVALID_ARGUMENT for settings that cannot be.
  absl::Status Start() { return runner_.Start(); }
  // Returns when the batch that runs has ended; from then on the tables are read.
  void Stop();

  // None: read the tables. Not older than what this process has answered before.
  async::Task<std::optional<Shown>> Find(const ProductId& id, const RequestContext& context);
  // What the tables answered, when they were asked at `asked_at` by MonotonicNow().
  async::Task<void> Fill(const Shown& product, absl::Time asked_at, const RequestContext& context);
  // The caller gets this product without the cache: from now on nothing older is found.
  void Answered(const Shown& product, const RequestContext& context);

 private:
  ProductCache(const ProductCacheSettings& settings, std::unique_ptr<redis::Client> client,
               const std::string& group, const std::vector<std::string>& topics);
  void Count(bool hit);

  const std::unique_ptr<redis::Client> client_;
  projections::RedisSink sink_;
  projections::RedisEviction eviction_;
  projections::RedisRows rows_;
  projections::Runner runner_;
  std::atomic<std::int64_t> hits_{0};
  std::atomic<std::int64_t> misses_{0};
  prometheus::Counter& hit_;
  prometheus::Counter& missed_;
  prometheus::Gauge& hit_ratio_;
};

// Everything below the version of an event is out of date.
projections::Projection CachedProduct();
// What the GraphQL service keeps of products, "gql:product:<tenant>:<productId>": a change of one empties it.
projections::Projection GraphqlProduct();

}  // namespace bv::product
