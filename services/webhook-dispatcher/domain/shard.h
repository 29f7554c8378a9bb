// Which of the shards a subscription belongs to: whoever consumes the shard's queue drives it. Pure.
#pragma once

#include "services/webhook-dispatcher/domain/subscription.h"

namespace bv::webhook {

// 0 to shards - 1, the same in every process.
int ShardOf(const SubscriptionId& subscription, int shards);

}  // namespace bv::webhook
