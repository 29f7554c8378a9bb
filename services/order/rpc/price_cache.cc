#include "services/order/rpc/price_cache.h"

#include "libs/base/clock.h"
#include "libs/rpc/timestamp.h"

namespace bv::order {
namespace {

namespace pb = commerce::product::v1;

bool IsValid(const PriceCache::Variant& variant, absl::Time at) {
  return at >= rpc::FromTimestamp(variant.valid_from()) &&
         (!variant.has_valid_until() || at < rpc::FromTimestamp(variant.valid_until()));
}

}  // namespace

void PriceCacheSettings::Bind(config::Binder& b) {
  b.Integer("order.price_cache_max", variants_max, {0, 10'000'000});
  b.Duration("order.price_cache_ttl", ttl, {absl::ZeroDuration(), absl::Hours(1)});
}

PriceCache::PriceCache(const PriceCacheSettings& settings, std::function<bool()> is_current)
    : settings_(settings), is_current_(std::move(is_current)) {}

PriceCache::Key PriceCache::KeyOf(const TenantId& tenant, const pb::VariantRef& ref) {
  return {tenant.str(), ref.has_sku() ? "s" + ref.sku() : "p" + ref.product_id()};
}

std::optional<PriceCache::Response> PriceCache::Find(const TenantId& tenant, const Request& request,
                                                     absl::Time at) const {
  if (!is_current_()) return std::nullopt;
  const absl::Time now = MonotonicNow();
  Response response;
  const absl::ReaderMutexLock lock(&mutex_);
  for (const pb::VariantRef& ref : request.variants()) {
    const auto found = entries_.find(KeyOf(tenant, ref));
    if (found == entries_.end() || now >= found->second.kept_until || !IsValid(found->second.variant, at))
      return std::nullopt;
    *response.add_variants() = found->second.variant;
  }
  return response;
}

void PriceCache::Keep(const TenantId& tenant, const Request& request, const Response& response) {
  if (!is_current_() || request.variants_size() != response.variants_size()) return;
  const absl::Time kept_until = MonotonicNow() + settings_.ttl;
  const absl::MutexLock lock(&mutex_);
  for (int i = 0; i < response.variants_size(); ++i) {
    const Variant& variant = response.variants(i);
    if (variant.outcome() != Variant::OUTCOME_SELLABLE) continue;
    if (static_cast<int>(entries_.size()) >= settings_.variants_max) {
      entries_.clear();
      products_.clear();
    }
    Product& product = products_[{tenant.str(), variant.product_id()}];
    if (variant.product_version() < product.version) continue;
    const Key key = KeyOf(tenant, request.variants(i));
    if (entries_.insert_or_assign(key, Entry{variant, kept_until}).second) product.entries.push_back(key);
  }
}

void PriceCache::Changed(const TenantId& tenant, const std::string& product_id, std::int64_t version) {
  const absl::MutexLock lock(&mutex_);
  if (static_cast<int>(products_.size()) >= settings_.variants_max) {
    entries_.clear();
    products_.clear();
  }
  Product& product = products_[{tenant.str(), product_id}];
  if (version <= product.version) return;
  product.version = version;
  for (const Key& key : product.entries) entries_.erase(key);
  product.entries.clear();
}

}  // namespace bv::order
