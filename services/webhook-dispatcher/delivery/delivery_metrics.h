#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

namespace bv::webhook {

struct DeliveryMetrics {
  DeliveryMetrics();

  prometheus::Counter& delivered;
  prometheus::Counter& failed;
  prometheus::Counter& canceled;
  prometheus::Counter& attempts;
  prometheus::Counter& retries;
  prometheus::Counter& deferred;
  prometheus::Histogram& latency;
  prometheus::Gauge& in_flight;
  prometheus::Gauge& shards;
  prometheus::Gauge& subscriptions_deferred;
  prometheus::Gauge& breakers_open;
};

}  // namespace bv::webhook
