#include "services/outbox-relay/settings.h"

namespace bv::relay {

void Settings::Bind(config::Binder& b) {
  postgres.Bind(b);
  kafka.Bind(b);
  b.Text("kafka.topics_file", topics_file, config::Presence::kOptional);
  b.Text("kafka.schema_ids_file", schema_ids_file, config::Presence::kOptional);
  b.Integer("kafka.replication_factor", replication_factor, {.min = 1, .max = 32});
  b.Text("relay.slot", slot);
  b.Integer("relay.in_flight_records_max", in_flight_records_max, {.min = 1, .max = 1'000'000});
  b.Integer("relay.in_flight_bytes_max", in_flight_bytes_max, {.min = 1 << 20, .max = 1 << 30});
  b.Duration("relay.gather", gather, {.min = absl::ZeroDuration(), .max = absl::Milliseconds(100)});
  // At least once a second, well below PostgreSQL's wal_sender_timeout.
  b.Duration("relay.status_interval", status_interval,
             {.min = absl::Milliseconds(10), .max = absl::Seconds(1)});
  b.Duration("relay.standby_interval", standby_interval,
             {.min = absl::Milliseconds(50), .max = absl::Minutes(1)});
  b.Duration("relay.backoff_min", backoff_min, {.min = absl::Milliseconds(10), .max = absl::Minutes(1)});
  b.Duration("relay.backoff_max", backoff_max, {.min = absl::Milliseconds(100), .max = absl::Minutes(10)});
  b.Duration("relay.lag_interval", lag_interval, {.min = absl::Milliseconds(100), .max = absl::Minutes(10)});
  b.Duration("relay.housekeeping_interval", housekeeping_interval,
             {.min = absl::Seconds(1), .max = absl::Hours(12)});
  b.Integer("relay.partition_days_ahead", partition_days_ahead, {.min = 1, .max = 60});
  b.Duration("relay.retention", retention, {.min = absl::Hours(1), .max = absl::Hours(24 * 365)});
  kafka.client_id = "outbox-relay";
  // The ledger bounds what is in flight; the client's own queue must not be the tighter one.
  kafka.queue_records_max = in_flight_records_max + 1;
  kafka.queue_bytes_max = 2 * in_flight_bytes_max;
}

}  // namespace bv::relay
