#include "services/replay/driver/settings.h"

namespace bv::replay {

void DriverSettings::Bind(config::Binder& b) {
  connection.Bind(b);
  b.Text("read_models.postgres.url", read_models.url);
  b.Secret("read_models.postgres.password", read_models.password);
  b.Duration("read_models.postgres.statement_timeout", read_models.statement_timeout,
             {absl::Seconds(1), absl::Minutes(10)});
  b.Text("kafka.brokers", rebuild.kafka.brokers);
  b.Integer("kafka.batch_max", rebuild.kafka.batch_max, {1, 100'000});
  b.Integer("replay.workers_max", rebuild.workers_max, {1, 64});
  b.Integer("replay.buffer_bytes", rebuild.buffer_bytes, {1 << 20, 1 << 30});
  b.Integer("replay.parallel_max", parallel_max, {1, 16});
  b.Duration("replay.lease", lease, {absl::Seconds(1), absl::Minutes(10)});
  b.Duration("replay.poll_interval", poll_interval, {absl::Milliseconds(10), absl::Minutes(1)});
}

}  // namespace bv::replay
