#include "services/product/cache/product_cache.h"

#include <algorithm>

#include "commerce/product/v1/events.pb.h"
#include "libs/base/clock.h"
#include "libs/base/macros.h"
#include "services/product/events/flash_price.h"

namespace bv::product {
namespace {

namespace pb = commerce::product::v1;
using projections::Change;
using projections::Event;
using projections::Kind;
using projections::Put;
using projections::Remove;
using projections::Row;

// From the question to the tables to the fill: far less than a removal is remembered.
constexpr absl::Duration kFillWithin = absl::Seconds(10);

absl::StatusOr<std::vector<Change>> ChangesOf(const Event& event) {
  if (!event.envelope.Is<pb::ProductUpdated>()) return std::vector<Change>();
  pb::ProductUpdated updated;
  RETURN_IF_ERROR(event.envelope.ParsePayload(updated));
  return std::vector<Change>{{event.tenant, {updated.product_id()}, Remove{updated.version()}}};
}

prometheus::Counter& CounterOf(const char* outcome) {
  return telemetry::Counter("product_cache_reads_total", "Products that were looked for in the cache.",
                            {{"outcome", outcome}});
}

}  // namespace

void ProductCacheSettings::Bind(config::Binder& b) {
  redis.Bind(b);
  rows.Bind(b);
  kafka.Bind(b);
}

projections::Projection CachedProduct() {
  return {.name = "product",
          .version = 1,
          .topics = {events::TypeOf<pb::ProductUpdated>().topic},
          .shape = {.key = {{"product_id", Kind::kText}},
                    // The answer of GetProduct, as protobuf writes it.
                    .facets = {{"product", {{"answer", Kind::kText}}}}},
          .changes = ChangesOf};
}

projections::Projection GraphqlProduct() {
  projections::Projection shown = CachedProduct();
  shown.name = "gql:product";
  return shown;
}

absl::StatusOr<std::unique_ptr<ProductCache>> ProductCache::Create(const ProductCacheSettings& settings,
                                                                   const std::string& group,
                                                                   const std::vector<std::string>& topics) {
  ASSIGN_OR_RETURN(std::unique_ptr<redis::Client> client, redis::Client::Create(settings.redis));
  return std::unique_ptr<ProductCache>(new ProductCache(settings, std::move(client), group, topics));
}

ProductCache::ProductCache(const ProductCacheSettings& settings, std::unique_ptr<redis::Client> client,
                           const std::string& group, const std::vector<std::string>& topics)
    : client_(std::move(client)),
      sink_(*client_, settings.rows),
      eviction_(*client_),
      rows_(*client_, CachedProduct(), settings.rows),
      runner_(settings.kafka, group,
              {{CachedProduct(), &sink_}, {GraphqlProduct(), &eviction_}, {FlashPrice(), &sink_}}, topics),
      hit_(CounterOf("hit")),
      missed_(CounterOf("miss")),
      hit_ratio_(telemetry::Gauge("product_cache_hit_ratio",
                                  "Share of the products that the cache had, since the start.")) {}

void ProductCache::Stop() {
  runner_.Stop();
  client_->Stop();
}

async::Task<std::optional<ProductCache::Shown>> ProductCache::Find(const ProductId& id,
                                                                   const RequestContext& context) {
  std::optional<Shown> found;
  if (runner_.caught_up_lately()) {
    std::vector<projections::Value> key = {id.str()};
    const absl::StatusOr<std::optional<Row>> row = co_await rows_.Find(std::move(key), context);
    if (row.ok() && row->has_value()) {
      const auto& answer = std::get<std::string>((*row)->facets.front().values.front());
      if (!found.emplace().ParseFromString(answer)) found.reset();
    }
  }
  Count(found.has_value());
  co_return found;
}

async::Task<void> ProductCache::Fill(const Shown& product, absl::Time asked_at,
                                     const RequestContext& context) {
  Answered(product, context);
  const absl::Duration left = kFillWithin - (MonotonicNow() - asked_at);
  if (left <= absl::ZeroDuration() || client_->is_away() || !runner_.caught_up_lately()) co_return;
  RequestContext bounded = context;
  bounded.deadline = std::min(context.deadline, absl::Now() + left);
  Put put{.facet = 0, .version = product.version(), .values = {product.SerializeAsString()}};
  std::vector<projections::Value> key = {product.product_id()};
  // What Redis could not take is asked of the tables again.
  static_cast<void>(co_await rows_.Fill(std::move(key), std::move(put), bounded));
}

void ProductCache::Answered(const Shown& product, const RequestContext& context) {
  rows_.OwnerAnswered(context.tenant, {product.product_id()}, product.version());
}

void ProductCache::Count(bool hit) {
  (hit ? hit_ : missed_).Increment();
  const auto hits = static_cast<double>(hit ? ++hits_ : hits_.load());
  const auto misses = static_cast<double>(hit ? misses_.load() : ++misses_);
  hit_ratio_.Set(hits / (hits + misses));
}

}  // namespace bv::product
