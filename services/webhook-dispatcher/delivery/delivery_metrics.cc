#include "services/webhook-dispatcher/delivery/delivery_metrics.h"

#include "libs/telemetry/telemetry.h"

namespace bv::webhook {
namespace {

prometheus::Counter& Ended(const char* outcome) {
  return telemetry::Counter("webhook_deliveries_total", "Deliveries that have ended, by how.",
                            {{"outcome", outcome}});
}

}  // namespace

DeliveryMetrics::DeliveryMetrics()
    : delivered(Ended("delivered")),
      failed(Ended("failed")),
      canceled(Ended("canceled")),
      attempts(telemetry::Counter("webhook_attempts_total", "Attempts that were made.")),
      retries(telemetry::Counter("webhook_retry_attempts_total", "Attempts after the first of a delivery.")),
      deferred(telemetry::Counter("webhook_deferred_total",
                                  "Deliveries that came by a message and were left to PostgreSQL.")),
      latency(telemetry::Histogram("webhook_delivery_latency_ms",
                                   "From the beginning of an attempt to its answer.",
                                   telemetry::LatencyMillis())),
      in_flight(telemetry::Gauge("webhook_attempts_in_flight", "Attempts that run.")),
      shards(telemetry::Gauge("webhook_shards", "Shards that this process drives.")),
      subscriptions_deferred(telemetry::Gauge("webhook_subscriptions_deferred",
                                              "Subscriptions of these shards with deliveries that wait in "
                                              "PostgreSQL.")),
      breakers_open(
          telemetry::Gauge("webhook_breakers_open", "Receivers that are sent nothing for a while.")) {}

}  // namespace bv::webhook
