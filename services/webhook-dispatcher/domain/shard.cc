#include "services/webhook-dispatcher/domain/shard.h"

#include <cstdint>

namespace bv::webhook {

int ShardOf(const SubscriptionId& subscription, int shards) {
  // FNV-1a.
  std::uint64_t hash = 14695981039346656037u;
  for (const char c : subscription.str()) hash = (hash ^ static_cast<std::uint8_t>(c)) * 1099511628211u;
  return static_cast<int>(hash % static_cast<std::uint64_t>(shards));
}

}  // namespace bv::webhook
