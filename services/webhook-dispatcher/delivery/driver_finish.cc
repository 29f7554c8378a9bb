// Outcomes are stored, and what follows of them.
#include <algorithm>
#include <set>
#include <utility>

#include "libs/base/clock.h"
#include "libs/base/crash_point.h"
#include "libs/base/macros.h"
#include "libs/events/outbox.h"
#include "libs/telemetry/telemetry.h"
#include "services/webhook-dispatcher/delivery/driver.h"
#include "services/webhook-dispatcher/events/delivery_events.h"
#include "services/webhook-dispatcher/store/change_subscription.h"

namespace bv::webhook {
namespace {

constexpr absl::Duration kPublishPatience = absl::Seconds(5);

SubscriptionKey SubscriptionOf(const Delivery& delivery) {
  return {delivery.tenant, delivery.subscription};
}

RequestContext ContextOf(const TenantId& tenant) {
  RequestContext context;
  context.tenant = tenant;
  context.role = Role::kService;
  return context;
}

}  // namespace

void Driver::Finish(std::vector<Ended> ended) {
  std::vector<Finished> finished;
  std::vector<Flight> not_tried;
  std::vector<TenantId> tenants;
  std::size_t have_waited = 0;
  const absl::Time begin = MonotonicNow();
  const Endpoint::Clock::time_point now = Endpoint::Clock::now();
  for (Ended& one : ended) {
    auto node = flights_.extract(one.key);
    Flight& flight = node.mapped();
    EndpointOf(SubscriptionOf(flight.delivery)).End();
    if (flight.span) EndSpan(*flight.span, one.outcome);
    if (one.outcome.error == egress::ErrorClass::kNotTried) {
      not_tried.push_back(std::move(flight));
      continue;
    }
    Judged judged = Judge(flight.delivery, flight.subscription->order, one.outcome, flight.began, schedule_);
    if (judged.verdict == Verdict::kDelivered) {
      flight.permit.Succeeded(now);
    } else {
      flight.permit.Failed(now);
    }
    metrics_.latency.Observe(absl::ToDoubleMilliseconds(one.outcome.latency));
    tenants.push_back(flight.delivery.tenant);
    have_waited += flight.has_waited ? 1 : 0;
    finished.push_back({std::move(flight), std::move(judged)});
  }
  GiveBack(std::move(not_tried));
  if (finished.empty()) return;
  std::ranges::sort(tenants);
  tenants.erase(std::unique(tenants.begin(), tenants.end()), tenants.end());
  CrashPoint("webhook-dispatcher.attempt.ended");
  const bool is_stored =
      Commit(tenants, [&](postgres::Session& session) { return StoreOutcomes(session, finished); });
  if (!is_stored) return;
  CrashPoint("webhook-dispatcher.attempt.stored");
  TryLater(finished);
  CrashPoint("webhook-dispatcher.retry.published");
  std::vector<rabbitmq::Tag> settled;
  for (const Finished& one : finished) {
    settled.insert(settled.end(), one.flight.tags.begin(), one.flight.tags.end());
    if (one.judged.attempt.next == DeliveryStatus::kDelivered) metrics_.delivered.Increment();
    if (one.judged.attempt.next == DeliveryStatus::kFailed) metrics_.failed.Increment();
  }
  metrics_.attempts.Increment(static_cast<double>(finished.size()));
  consumer_->Ack(settled);
  const absl::Time end = MonotonicNow();
  backlog_share_.HasSpent((end - begin) * have_waited / finished.size(), end);
}

// No attempt was made: there was no room for one, or the client stops.
void Driver::GiveBack(std::vector<Flight> flights) {
  if (stopping_) return;
  std::vector<DeliveryKey> keys;
  for (const Flight& flight : flights) keys.push_back({flight.delivery.tenant, flight.delivery.id});
  if (!Defer(keys)) return;
  for (const Flight& flight : flights) consumer_->Ack(flight.tags);
}

absl::Status Driver::StoreOutcomes(postgres::Session& session, std::span<const Finished> finished) {
  std::vector<Attempt> attempts;
  std::vector<DeliveryKey> failed;
  for (const Finished& one : finished) {
    attempts.push_back(one.judged.attempt);
    if (one.judged.attempt.next == DeliveryStatus::kFailed) failed.push_back(one.judged.attempt.key);
  }
  const std::map<DeliveryKey, absl::Time> first = FirstAttempts(session, failed);
  StoreAttempts(session, attempts);
  std::vector<events::OutboxRow> rows;
  for (const Finished& one : finished) {
    const Attempt& attempt = one.judged.attempt;
    const auto began = first.find(attempt.key);
    if (attempt.next != DeliveryStatus::kFailed || began == first.end()) continue;
    const absl::Time first_at = attempt.number == 1 ? attempt.at : began->second;
    ASSIGN_OR_RETURN(events::OutboxRow row,
                     FailedEvent(one.flight.delivery, attempt, first_at, session.transaction_time()));
    rows.push_back(std::move(row));
  }
  if (!rows.empty()) events::InsertOutbox(session, rows);
  return StoreHealth(session, finished);
}

// Of each receiver the last outcome counts. Little is written: only what is otherwise than before.
absl::Status Driver::StoreHealth(postgres::Session& session, std::span<const Finished> finished) {
  std::map<SubscriptionKey, const Finished*> last;
  for (const Finished& one : finished) last[SubscriptionOf(one.flight.delivery)] = &one;
  std::vector<SubscriptionKey> failing, well;
  for (const auto& [key, one] : last) {
    const bool is_failing = one->judged.verdict != Verdict::kDelivered;
    if (EndpointOf(key).is_failing != is_failing) (is_failing ? failing : well).push_back(key);
  }
  NoteHealth(session, failing, well);
  for (const SubscriptionKey& key : well) {
    session.OnCommit([this, key] { EndpointOf(key).Note(std::nullopt); });
  }
  for (const SubscriptionKey& key : failing) {
    const absl::Time since = FailingSince(session, key).value_or(session.transaction_time());
    session.OnCommit([this, key, since] { EndpointOf(key).Note(since); });
  }
  for (const auto& [key, one] : last) {
    const std::optional<absl::Time> since = EndpointOf(key).failing_since;
    if (one->judged.verdict == Verdict::kGone) {
      RETURN_IF_ERROR(DisableSubscription(session, ContextOf(key.tenant), key.subscription,
                                          DisabledReason::kGone, std::nullopt));
    } else if (one->judged.verdict != Verdict::kDelivered && since &&
               session.transaction_time() - *since >= settings_.disable_after) {
      RETURN_IF_ERROR(DisableSubscription(session, ContextOf(key.tenant), key.subscription,
                                          DisabledReason::kFailing, since));
    }
  }
  return absl::OkStatus();
}

// Awaits that RabbitMQ has them, before the messages that led here are acknowledged. Without RabbitMQ the
// next attempts are left to PostgreSQL, which knows when they are due.
void Driver::TryLater(std::span<const Finished> finished) {
  std::vector<rabbitmq::Outgoing> messages;
  std::vector<DeliveryKey> keys;
  for (const Finished& one : finished) {
    if (!one.judged.tier) continue;
    const Delivery& delivery = one.flight.delivery;
    messages.push_back(
        queues_.Later({SubscriptionOf(delivery), delivery.id, delivery.attempts_made + 2}, *one.judged.tier));
    keys.push_back({delivery.tenant, delivery.id});
  }
  const absl::Status status = publisher_.Publish(messages, MonotonicNow() + kPublishPatience);
  if (status.ok()) return;
  telemetry::LogLimited(telemetry::Level::kWarn, "the next attempts are left to PostgreSQL",
                        {{"error", status}});
  Defer(keys);
}

}  // namespace bv::webhook
