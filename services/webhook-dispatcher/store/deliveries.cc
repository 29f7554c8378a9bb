#include "services/webhook-dispatcher/store/deliveries.h"

#include <set>
#include <utility>

#include "libs/base/strings.h"

namespace bv::webhook {
namespace {

using postgres::ArrayLiteral;
using postgres::Statement;

constexpr std::int64_t kOverdueMax = 1000;

// Of one subscription, that a batch may put into the queue: few, so that no subscription stands in front of
// the others there. The rest waits in the table.
constexpr std::int64_t kQueuedMax = 64;

struct KeyColumns {
  std::vector<std::string> tenants, ids;

  explicit KeyColumns(std::span<const DeliveryKey> keys) {
    for (const DeliveryKey& key : keys) {
      tenants.push_back(key.tenant.str());
      ids.push_back(key.id.str());
    }
  }
};

// Of the columns that kFind and kDeferred select.
std::vector<Delivery> DeliveriesOf(const pqxx::result& rows) {
  std::vector<Delivery> deliveries;
  deliveries.reserve(rows.size());
  for (const auto& row : rows) {
    deliveries.push_back({.tenant = TenantId::Trusted(row[0].as<std::string>()),
                          .id = DeliveryId::Trusted(row[1].as<std::string>()),
                          .subscription = SubscriptionId::Trusted(row[2].as<std::string>()),
                          .event_id = row[3].as<std::string>(),
                          .event_type = row[4].as<std::string>(),
                          .body = row[5].as<std::string>(),
                          .sequence = row[6].as<std::int64_t>(),
                          .status = DeliveryStatusOf(row[7].as<std::string>()),
                          .attempts_made = row[8].as<int>(),
                          .due_at = postgres::TimeFromMicros(row[9]),
                          .traceparent = row[10].as<std::string>()});
  }
  return deliveries;
}

std::int64_t Micros(absl::Duration duration) {
  return absl::ToInt64Microseconds(duration);
}

}  // namespace

std::string SampledTraceparent(const TraceContext& trace) {
  return trace.sampled ? trace.ToTraceparent() : std::string();
}

std::vector<MadeDelivery> MakeDeliveries(postgres::Session& session,
                                         std::span<const NewDelivery> deliveries) {
  // Not by EXISTS: what it asks for all at once, of all subscriptions, may be every deferred delivery there
  // is.
  static constexpr Statement kMake{"webhook_deliveries_make", R"sql(
    WITH wanted AS (
      SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                           $10::text[], $11::text[]) WITH ORDINALITY
        AS w (tenant_id, delivery_id, subscription_id, event_id, event_type, body, redelivery_of, status, traceparent, store_code, n)
    ), fresh AS (
      SELECT w.*, row_number() OVER of_subscription AS place, count(*) OVER (PARTITION BY w.tenant_id, w.subscription_id) AS places
      FROM wanted w
      WHERE NOT EXISTS (SELECT FROM webhook_delivery d WHERE d.tenant_id = w.tenant_id AND d.delivery_id = w.delivery_id)
      WINDOW of_subscription AS (PARTITION BY w.tenant_id, w.subscription_id ORDER BY w.n)
    ), counted AS (
      INSERT INTO webhook_endpoint AS e (tenant_id, subscription_id, last_sequence)
      SELECT tenant_id, subscription_id, count(*) FROM fresh GROUP BY tenant_id, subscription_id ORDER BY tenant_id, subscription_id
      ON CONFLICT (tenant_id, subscription_id) DO UPDATE SET last_sequence = e.last_sequence + excluded.last_sequence
      RETURNING e.tenant_id, e.subscription_id, e.last_sequence,
        (SELECT true FROM webhook_delivery d
         WHERE d.tenant_id = e.tenant_id AND d.subscription_id = e.subscription_id AND d.status = 'DEFERRED'
         LIMIT 1) AS has_deferred
    ), made AS (
      INSERT INTO webhook_delivery (tenant_id, delivery_id, subscription_id, event_id, event_type, body, redelivery_of, traceparent, store_code, sequence,
                                    status)
      SELECT f.tenant_id, f.delivery_id, f.subscription_id, f.event_id, f.event_type, f.body, f.redelivery_of, f.traceparent, f.store_code,
             c.last_sequence - f.places + f.place,
             CASE WHEN c.has_deferred OR f.place > $9 THEN 'DEFERRED' ELSE f.status END
      FROM counted c JOIN fresh f ON f.tenant_id = c.tenant_id AND f.subscription_id = c.subscription_id
      ORDER BY f.n
      ON CONFLICT DO NOTHING
      RETURNING tenant_id, delivery_id, subscription_id, status, attempts_made
    )
    SELECT * FROM made
    UNION ALL
    SELECT d.tenant_id, d.delivery_id, d.subscription_id, d.status, d.attempts_made
    FROM wanted w LEFT JOIN webhook_delivery d ON d.tenant_id = w.tenant_id AND d.delivery_id = w.delivery_id
  )sql"};
  std::vector<std::string> tenants, ids, subscriptions, events, types, bodies, repeated, traceparents, stores,
      statuses;
  std::set<DeliveryKey> seen;
  for (const NewDelivery& delivery : deliveries) {
    if (!seen.insert({delivery.tenant, delivery.id}).second) continue;
    tenants.push_back(delivery.tenant.str());
    ids.push_back(delivery.id.str());
    subscriptions.push_back(delivery.subscription.str());
    events.push_back(delivery.event_id);
    types.push_back(delivery.event_type);
    bodies.push_back(delivery.body);
    repeated.push_back(delivery.redelivery_of);
    traceparents.push_back(delivery.traceparent);
    stores.push_back(delivery.store);
    statuses.emplace_back(Word(delivery.status));
  }
  std::vector<MadeDelivery> made;
  if (ids.empty()) return made;
  for (const auto& row :
       session.Exec(kMake, ArrayLiteral(tenants), ArrayLiteral(ids), ArrayLiteral(subscriptions),
                    ArrayLiteral(events), ArrayLiteral(types), ArrayLiteral(bodies), ArrayLiteral(repeated),
                    ArrayLiteral(statuses), kQueuedMax, ArrayLiteral(traceparents), ArrayLiteral(stores))) {
    if (row[0].is_null()) continue;  // One that was not there before.
    made.push_back({.tenant = TenantId::Trusted(row[0].as<std::string>()),
                    .id = DeliveryId::Trusted(row[1].as<std::string>()),
                    .subscription = SubscriptionId::Trusted(row[2].as<std::string>()),
                    .status = DeliveryStatusOf(row[3].as<std::string>()),
                    .attempts_made = row[4].as<int>()});
  }
  return made;
}

std::vector<Delivery> FindDeliveries(postgres::Session& session, std::span<const DeliveryKey> keys) {
  static constexpr Statement kFind{"webhook_deliveries_find", R"sql(
    SELECT d.tenant_id, d.delivery_id, d.subscription_id, d.event_id, d.event_type, d.body, d.sequence, d.status, d.attempts_made,
           (extract(epoch FROM d.due_at) * 1e6)::bigint, d.traceparent
    FROM unnest($1::text[], $2::text[]) AS k (tenant_id, delivery_id)
    CROSS JOIN LATERAL (
      SELECT * FROM webhook_delivery w
      WHERE w.tenant_id = k.tenant_id AND w.delivery_id = k.delivery_id AND w.ended_at IS NULL
      LIMIT 1
    ) d
  )sql"};
  if (keys.empty()) return {};
  const KeyColumns columns(keys);
  return DeliveriesOf(session.Exec(kFind, ArrayLiteral(columns.tenants), ArrayLiteral(columns.ids)));
}

std::vector<Delivery> DeferredDeliveries(postgres::Session& session, std::span<const Room> rooms) {
  // Of a FIFO one what is not due holds up what is behind it.
  static constexpr Statement kDeferred{"webhook_deliveries_deferred", R"sql(
    SELECT d.tenant_id, d.delivery_id, d.subscription_id, d.event_id, d.event_type, d.body, d.sequence, d.status, d.attempts_made,
           (extract(epoch FROM d.due_at) * 1e6)::bigint, d.traceparent
    FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) AS r (tenant_id, subscription_id, is_fifo, places)
    CROSS JOIN LATERAL (
      SELECT * FROM webhook_delivery w
      WHERE w.tenant_id = r.tenant_id AND w.subscription_id = r.subscription_id AND w.status = 'DEFERRED'
        AND (r.is_fifo = 1 OR w.due_at <= now())
      ORDER BY w.sequence
      LIMIT r.places
    ) d
    WHERE d.due_at <= now()
    ORDER BY d.tenant_id, d.subscription_id, d.sequence
  )sql"};
  if (rooms.empty()) return {};
  std::vector<std::string> tenants, subscriptions;
  std::vector<std::int64_t> fifo, places;
  for (const Room& room : rooms) {
    const bool is_fifo = room.order == DeliveryOrder::kFifo;
    tenants.push_back(room.tenant.str());
    subscriptions.push_back(room.subscription.str());
    fifo.push_back(is_fifo ? 1 : 0);
    places.push_back(is_fifo ? 1 : room.places);
  }
  return DeliveriesOf(session.Exec(kDeferred, ArrayLiteral(tenants), ArrayLiteral(subscriptions),
                                   ArrayLiteral(fifo), ArrayLiteral(places)));
}

std::vector<SubscriptionKey> SubscriptionsWithDeferred(postgres::Session& session) {
  // From one subscription to the next in the index, however many deliveries each has.
  static constexpr Statement kList{"webhook_subscriptions_deferred", R"sql(
    WITH RECURSIVE found AS (
      (SELECT tenant_id, subscription_id FROM webhook_delivery WHERE status = 'DEFERRED' ORDER BY tenant_id, subscription_id LIMIT 1)
      UNION ALL
      SELECT later.tenant_id, later.subscription_id
      FROM found f CROSS JOIN LATERAL (
        SELECT d.tenant_id, d.subscription_id FROM webhook_delivery d
        WHERE d.status = 'DEFERRED' AND (d.tenant_id, d.subscription_id) > (f.tenant_id, f.subscription_id)
        ORDER BY d.tenant_id, d.subscription_id
        LIMIT 1
      ) later
    )
    SELECT tenant_id, subscription_id FROM found
  )sql"};
  std::vector<SubscriptionKey> keys;
  for (const auto& row : session.Exec(kList)) {
    keys.push_back(
        {TenantId::Trusted(row[0].as<std::string>()), SubscriptionId::Trusted(row[1].as<std::string>())});
  }
  return keys;
}

std::vector<DeliveryKey> OverdueDeliveries(postgres::Session& session, absl::Duration grace) {
  static constexpr Statement kOverdue{"webhook_deliveries_overdue", R"sql(
    SELECT tenant_id, delivery_id FROM webhook_delivery
    WHERE status = 'QUEUED' AND due_at <= now() - $1 * interval '1 microsecond'
    ORDER BY due_at
    LIMIT $2
  )sql"};
  std::vector<DeliveryKey> keys;
  for (const auto& row : session.Exec(kOverdue, Micros(grace), kOverdueMax)) {
    keys.push_back(
        {TenantId::Trusted(row[0].as<std::string>()), DeliveryId::Trusted(row[1].as<std::string>())});
  }
  return keys;
}

void DeferDeliveries(postgres::Session& session, std::span<const DeliveryKey> keys) {
  static constexpr Statement kDefer{"webhook_deliveries_defer", R"sql(
    MERGE INTO webhook_delivery d
    USING unnest($1::text[], $2::text[]) AS k (tenant_id, delivery_id)
    ON d.tenant_id = k.tenant_id AND d.delivery_id = k.delivery_id
    WHEN MATCHED AND d.status = 'QUEUED' THEN UPDATE SET status = 'DEFERRED'
    WHEN NOT MATCHED AND false THEN INSERT DEFAULT VALUES  -- an outer join: a look-up for each key, whatever the planner thinks of the table
  )sql"};
  if (keys.empty()) return;
  const KeyColumns columns(keys);
  session.Exec(kDefer, ArrayLiteral(columns.tenants), ArrayLiteral(columns.ids));
}

int CancelDeliveriesOf(postgres::Session& session, const SubscriptionKey& key, int rows_max) {
  static constexpr Statement kCancel{"webhook_deliveries_cancel_of", R"sql(
    WITH waiting AS (
      SELECT tenant_id, delivery_id FROM webhook_delivery
      WHERE tenant_id = $1 AND subscription_id = $2 AND status = 'DEFERRED'
      ORDER BY sequence
      LIMIT $3
    )
    MERGE INTO webhook_delivery d
    USING waiting w
    ON d.tenant_id = w.tenant_id AND d.delivery_id = w.delivery_id
    WHEN MATCHED THEN UPDATE SET status = 'CANCELED', ended_at = now()
    WHEN NOT MATCHED AND false THEN INSERT DEFAULT VALUES
  )sql"};
  return static_cast<int>(
      session.Exec(kCancel, key.tenant.str(), key.subscription.str(), rows_max).affected_rows());
}

void StoreAttempts(postgres::Session& session, std::span<const Attempt> attempts) {
  static constexpr Statement kStore{"webhook_attempts_store", R"sql(
    INSERT INTO webhook_delivery_attempts (tenant_id, delivery_id, number, at, latency_millis, status, error_class, detail, answer)
    SELECT tenant_id, delivery_id, number, 'epoch'::timestamptz + at * interval '1 microsecond', latency_millis, status, error_class, detail, answer
    FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[], $8::text[], $9::text[])
      AS a (tenant_id, delivery_id, number, at, latency_millis, status, error_class, detail, answer)
    ON CONFLICT DO NOTHING
  )sql"};
  // Two drivers may have made the same attempt, when one had lost its connection; then a success counts.
  static constexpr Statement kNote{"webhook_deliveries_note", R"sql(
    MERGE INTO webhook_delivery d
    USING unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::bigint[]) AS a (tenant_id, delivery_id, number, next, pause)
    ON d.tenant_id = a.tenant_id AND d.delivery_id = a.delivery_id
    WHEN MATCHED AND d.ended_at IS NULL AND (d.attempts_made < a.number OR a.next = 'DELIVERED') THEN UPDATE
      SET status = a.next, attempts_made = a.number, due_at = now() + a.pause * interval '1 microsecond',
          ended_at = CASE WHEN a.next IN ('QUEUED', 'DEFERRED') THEN NULL ELSE now() END
    WHEN NOT MATCHED AND false THEN INSERT DEFAULT VALUES
  )sql"};
  if (attempts.empty()) return;
  std::vector<std::string> tenants, ids, classes, details, answers, next;
  std::vector<std::int64_t> numbers, at, latencies, statuses, pauses;
  for (const Attempt& attempt : attempts) {
    tenants.push_back(attempt.key.tenant.str());
    ids.push_back(attempt.key.id.str());
    numbers.push_back(attempt.number);
    at.push_back(absl::ToUnixMicros(attempt.at));
    latencies.push_back(absl::ToInt64Milliseconds(attempt.latency));
    statuses.push_back(attempt.status);
    classes.push_back(attempt.error_class);
    details.push_back(attempt.detail);
    answers.push_back(attempt.answer);
    next.emplace_back(Word(attempt.next));
    pauses.push_back(Micros(attempt.pause));
  }
  session.Exec(kStore, ArrayLiteral(tenants), ArrayLiteral(ids), ArrayLiteral(numbers), ArrayLiteral(at),
               ArrayLiteral(latencies), ArrayLiteral(statuses), ArrayLiteral(classes), ArrayLiteral(details),
               ArrayLiteral(answers));
  session.Exec(kNote, ArrayLiteral(tenants), ArrayLiteral(ids), ArrayLiteral(numbers), ArrayLiteral(next),
               ArrayLiteral(pauses));
}

std::map<DeliveryKey, absl::Time> FirstAttempts(postgres::Session& session,
                                                std::span<const DeliveryKey> keys) {
  static constexpr Statement kFirst{"webhook_attempts_first", R"sql(
    SELECT k.tenant_id, k.delivery_id, (extract(epoch FROM coalesce(a.at, now())) * 1e6)::bigint
    FROM unnest($1::text[], $2::text[]) AS k (tenant_id, delivery_id)
    CROSS JOIN LATERAL (
      SELECT FROM webhook_delivery w WHERE w.tenant_id = k.tenant_id AND w.delivery_id = k.delivery_id AND w.ended_at IS NULL FOR UPDATE
    ) d
    LEFT JOIN webhook_delivery_attempts a ON a.tenant_id = k.tenant_id AND a.delivery_id = k.delivery_id AND a.number = 1
  )sql"};
  std::map<DeliveryKey, absl::Time> first;
  if (keys.empty()) return first;
  const KeyColumns columns(keys);
  for (const auto& row : session.Exec(kFirst, ArrayLiteral(columns.tenants), ArrayLiteral(columns.ids))) {
    first.emplace(DeliveryKey{TenantId::Trusted(row[0].as<std::string>()),
                              DeliveryId::Trusted(row[1].as<std::string>())},
                  postgres::TimeFromMicros(row[2]));
  }
  return first;
}

std::optional<absl::Time> FailingSince(postgres::Session& session, const SubscriptionKey& key) {
  static constexpr Statement kRead{"webhook_endpoint_failing_since", R"sql(
    SELECT (extract(epoch FROM failing_since) * 1e6)::bigint FROM webhook_endpoint WHERE tenant_id = $1 AND subscription_id = $2
  )sql"};
  const pqxx::result rows = session.Exec(kRead, key.tenant.str(), key.subscription.str());
  if (rows.empty() || rows[0][0].is_null()) return std::nullopt;
  return postgres::TimeFromMicros(rows[0][0]);
}

void NoteHealth(postgres::Session& session, std::span<const SubscriptionKey> failing,
                std::span<const SubscriptionKey> well) {
  static constexpr Statement kNote{"webhook_endpoint_note", R"sql(
    MERGE INTO webhook_endpoint e
    USING (SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[]) AS k (tenant_id, subscription_id, fails) ORDER BY 1, 2) k
    ON e.tenant_id = k.tenant_id AND e.subscription_id = k.subscription_id
    WHEN MATCHED THEN UPDATE SET failing_since = CASE WHEN k.fails = 1 THEN coalesce(e.failing_since, now()) END
    WHEN NOT MATCHED AND false THEN INSERT DEFAULT VALUES
  )sql"};
  if (failing.empty() && well.empty()) return;
  std::vector<std::string> tenants, subscriptions;
  std::vector<std::int64_t> fails;
  for (const auto& [keys, is_failing] : {std::pair(failing, 1), std::pair(well, 0)}) {
    for (const SubscriptionKey& key : keys) {
      tenants.push_back(key.tenant.str());
      subscriptions.push_back(key.subscription.str());
      fails.push_back(is_failing);
    }
  }
  session.Exec(kNote, ArrayLiteral(tenants), ArrayLiteral(subscriptions), ArrayLiteral(fails));
}

}  // namespace bv::webhook
