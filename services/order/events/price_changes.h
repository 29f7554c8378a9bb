// Hears of product's changes, so that no price is kept longer than it holds.
#pragma once

#include "libs/kafka/consumer.h"
#include "services/order/rpc/price_cache.h"

namespace bv::order {

// Every process needs every event, so each is a group of its own that begins at the newest.
std::unique_ptr<kafka::Consumer> MakePriceChanges(const kafka::ConsumerSettings& settings,
                                                  PriceCache& prices);

}  // namespace bv::order
