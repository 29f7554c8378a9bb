#include "services/webhook-dispatcher/store/redeliver.h"

#include "libs/base/crash_point.h"
#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "services/webhook-dispatcher/events/subscription_events.h"
#include "services/webhook-dispatcher/store/audit_rows.h"
#include "services/webhook-dispatcher/store/change_subscription.h"
#include "services/webhook-dispatcher/store/deliveries.h"
#include "services/webhook-dispatcher/store/subscription_rows.h"

namespace bv::webhook {
namespace {

using postgres::Statement;

void Make(postgres::Session& session, const NewDelivery& delivery) {
  MakeDeliveries(session, {&delivery, 1});
  CrashPoint("webhook-dispatcher.redelivery.written");
  session.OnCommit([] { CrashPoint("webhook-dispatcher.redelivery.committed"); });
}

// What is chosen is numbered on behind the deliveries that its subscription has: the row of webhook_endpoint
// is locked and says how many, as in MakeDeliveries. A new id is the first 22 characters of $10 and the
// number in base 32, so that all sort in their order.
#define BV_REDELIVER(of_subscription) \
  "WITH chosen AS MATERIALIZED (SELECT d.*, row_number() OVER (ORDER BY created_at, delivery_id) AS n, "     \
  "    row_number() OVER (PARTITION BY subscription_id ORDER BY created_at, delivery_id) AS nth "            \
  "  FROM (SELECT delivery_id, subscription_id, event_id, event_type, store_code, body, created_at "         \
  "        FROM webhook_delivery WHERE " BV_DELIVERY_FILTER(of_subscription)                                                              \
  "          AND subscription_id IN (SELECT subscription_id FROM webhook_subscription "                      \
  "                                  WHERE tenant_id = $1 AND deleted_at IS NULL) "                          \
  "        ORDER BY created_at, delivery_id LIMIT $11::int) d), "                                            \
  "counted AS MATERIALIZED (SELECT subscription_id, count(*) AS added FROM chosen GROUP BY subscription_id), " \
  "endpoint AS (INSERT INTO webhook_endpoint AS e (tenant_id, subscription_id, last_sequence) "              \
  "  SELECT $1, subscription_id, added FROM counted ORDER BY subscription_id "                               \
  "  ON CONFLICT (tenant_id, subscription_id) DO UPDATE "                                                    \
  "    SET last_sequence = e.last_sequence + excluded.last_sequence "                                        \
  "  RETURNING subscription_id, last_sequence), "                                                            \
  "audited AS (INSERT INTO webhook_subscription_audit "                                                      \
  "    (tenant_id, subscription_id, actor, action, detail, correlation_id) "                                 \
  "  SELECT $1, subscription_id, $12, 'REDELIVERED', added || ' deliveries', $13 FROM counted), "            \
  "made AS (INSERT INTO webhook_delivery "                                                                   \
  "    (tenant_id, delivery_id, subscription_id, event_id, event_type, store_code, body, sequence, status, redelivery_of) " \
  "  SELECT $1, $10 || substr(base32, ((n >> 15) & 31)::int + 1, 1) || substr(base32, ((n >> 10) & 31)::int + 1, 1) " \
  "         || substr(base32, ((n >> 5) & 31)::int + 1, 1) || substr(base32, (n & 31)::int + 1, 1), "        \
  "    subscription_id, event_id, event_type, store_code, body, last_sequence - added + nth, 'DEFERRED', delivery_id "   \
  "  FROM chosen JOIN counted USING (subscription_id) JOIN endpoint USING (subscription_id) "                \
  "  CROSS JOIN (VALUES ('0123456789abcdefghjkmnpqrstvwxyz')) AS digits (base32) ORDER BY n RETURNING 1) "   \
  "SELECT count(*) FROM made"

}  // namespace

absl::Status DeliveryNotFound() {
  return NotFound("DELIVERY_NOT_FOUND", "there is no such delivery");
}

absl::StatusOr<DeliveryId> SendTest(postgres::Session& session, const RequestContext& context,
                                    const SubscriptionId& id) {
  const std::optional<Subscription> subscription = ReadSubscription(session, context.tenant, id);
  if (!subscription) return SubscriptionNotFound();
  ASSIGN_OR_RETURN(events::OutboxRow event, TestEvent(*subscription, session.transaction_time(), context));
  const NewDelivery delivery{.tenant = context.tenant,
                             .id = DeliveryId::New(),
                             .subscription = id,
                             .event_id = std::move(event.id),
                             .event_type = std::move(event.type),
                             .body = std::move(event.payload),
                             .traceparent = SampledTraceparent(context.trace)};
  InsertAudit(session, context, id, AuditAction::kTestSent, delivery.id.str());
  Make(session, delivery);
  return delivery.id;
}

absl::StatusOr<DeliveryId> Redeliver(postgres::Session& session, const RequestContext& context,
                                     const DeliveryId& id) {
  std::optional<LoggedDelivery> first = ReadDelivery(session, context.tenant, id);
  if (!first) return DeliveryNotFound();
  if (!ReadSubscription(session, context.tenant, first->subscription)) return SubscriptionNotFound();
  std::optional<std::string> body = ReadBody(session, context.tenant, id);
  if (!body) return DeliveryNotFound();
  const NewDelivery delivery{.tenant = context.tenant,
                             .id = DeliveryId::New(),
                             .subscription = first->subscription,
                             .event_id = std::move(first->event_id),
                             .event_type = std::move(first->event_type),
                             .store = std::move(first->store),
                             .body = *std::move(body),
                             .redelivery_of = id.str(),
                             .traceparent = SampledTraceparent(context.trace)};
  InsertAudit(session, context, first->subscription, AuditAction::kRedelivered, id.str());
  Make(session, delivery);
  return delivery.id;
}

int RedeliverRange(postgres::Session& session, const RequestContext& context, const DeliveryFilter& filter) {
  // Some sessions are kept to plans that look each row up, which is no way to join a hundred thousand.
  static constexpr Statement kHash{"redeliver_plans", "SELECT set_config('enable_hashjoin', 'on', true)"};
  static constexpr Statement kOfAll{"redeliver_range", BV_REDELIVER(BV_OF_ALL)};
  static constexpr Statement kOfOne{"redeliver_range_of_subscription", BV_REDELIVER(BV_OF_ONE)};
  constexpr std::size_t kNumberDigits = 4;
  static_assert(kRedeliveriesMax < 1 << (5 * kNumberDigits));
  std::string first_part = DeliveryId::New().str();
  first_part.resize(first_part.size() - kNumberDigits);
  session.Exec(kHash);
  const FilterParameters by(context.tenant, filter);
  const pqxx::result made =
      session.Exec(by.subscription.empty() ? kOfAll : kOfOne, by.tenant, by.subscription, by.type,
                   by.type_prefix, by.event_id, by.statuses, by.from_micros, by.until_micros, by.store,
                   first_part, kRedeliveriesMax, context.user_id, context.correlation_id);
  CrashPoint("webhook-dispatcher.redelivery.range_written");
  session.OnCommit([] { CrashPoint("webhook-dispatcher.redelivery.range_committed"); });
  return made[0][0].as<int>();
}

}  // namespace bv::webhook
