#include "services/webhook-dispatcher/delivery/pipeline.h"

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"

namespace bv::webhook {

void PipelineSettings::Bind(config::Binder& b) {
  kafka.Bind(b);
  rabbitmq.Bind(b);
  b.TextList("delivery.delays", delays);
  b.Integer("delivery.shards", shards, {1, 256});
  b.Integer("delivery.in_flight_max", driver.in_flight_max, {1, 100'000});
  b.Number("delivery.backlog_share", driver.backlog_share, {0.01, 1});
  b.Integer("delivery.endpoint_parallel_max", driver.endpoint.parallel_max, {1, 1000});
  b.Duration("delivery.disable_after", driver.disable_after, {absl::Seconds(1), absl::Hours(24 * 365)});
  b.Duration("delivery.overdue_after", driver.overdue_after, {absl::Seconds(1), absl::Hours(24)});
  b.Duration("delivery.keep", retention.keep, {absl::Seconds(1), absl::Hours(24 * 3650)});
  b.Duration("breaker.window", driver.endpoint.breaker_window, {absl::Seconds(1), absl::Hours(24)});
  b.Integer("breaker.calls_min", driver.endpoint.breaker_calls_min, {1, 1'000'000});
  b.Number("breaker.failure_ratio", driver.endpoint.breaker_failure_ratio, {0.01, 1});
  b.Duration("breaker.open_for", driver.endpoint.breaker_open_for, {absl::Milliseconds(10), absl::Hours(1)});
}

absl::StatusOr<std::unique_ptr<Pipeline>> Pipeline::Create(const PipelineSettings& settings,
                                                           const postgres::ConnectionSettings& connection,
                                                           SubscriptionBook& book, egress::Client& egress,
                                                           boost::asio::io_context& io, const Names& names) {
  PipelineSettings parsed = settings;
  parsed.driver.delays.clear();
  for (const std::string& text : settings.delays) {
    absl::Duration delay;
    if (!absl::ParseDuration(text, &delay) || delay < absl::Milliseconds(1) || delay > absl::Hours(24))
      return InvalidValue("delivery.delays", Concat("'", text, "' is no duration from 1ms to 24h"));
    parsed.driver.delays.push_back(delay);
  }
  return std::unique_ptr<Pipeline>(new Pipeline(parsed, connection, book, egress, io, names));
}

Pipeline::Pipeline(const PipelineSettings& settings, const postgres::ConnectionSettings& connection,
                   SubscriptionBook& book, egress::Client& egress, boost::asio::io_context& io,
                   const Names& names)
    : queues_(names.queues, settings.shards, settings.driver.delays),
      driver_(settings.driver, connection, settings.rabbitmq, queues_, book, egress, io),
      intake_(settings.kafka, connection, settings.rabbitmq, queues_, book, names.topics, names.group),
      retention_(settings.retention, connection) {}

absl::Status Pipeline::Start() {
  driver_.Start();
  retention_.Start();
  return intake_.Start();
}

void Pipeline::Stop() {
  intake_.Stop();
  driver_.Stop();
  retention_.Stop();
}

}  // namespace bv::webhook
