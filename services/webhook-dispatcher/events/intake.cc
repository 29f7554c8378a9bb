#include "services/webhook-dispatcher/events/intake.h"

#include <algorithm>
#include <memory>
#include <set>

#include "libs/base/clock.h"
#include "libs/base/crash_point.h"
#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/events/handling_spans.h"
#include "libs/telemetry/telemetry.h"
#include "services/webhook-dispatcher/events/offered.h"

namespace bv::webhook {
namespace {

// Rows of one transaction.
constexpr std::size_t kStoreMax = 1000;
// A broker that is away that long: the batch comes again.
constexpr absl::Duration kPublishPatience = absl::Seconds(10);
// A database that is away that long: the batch comes again.
constexpr absl::Duration kBookPatience = absl::Seconds(5);

std::vector<std::string> TopicsOr(const std::vector<std::string>& topics) {
  if (!topics.empty()) return topics;
  const std::span<const std::string> offered = OfferedTopics();
  return {offered.begin(), offered.end()};
}

}  // namespace

Intake::Intake(const kafka::ConsumerSettings& kafka, const postgres::ConnectionSettings& connection,
               const rabbitmq::Settings& rabbitmq, const WorkQueues& queues, SubscriptionBook& book,
               const std::vector<std::string>& topics, const std::string& group)
    : group_(group),
      queues_(queues),
      book_(book),
      made_(telemetry::Counter("webhook_deliveries_made_total", "Deliveries that were made of events.")),
      session_(connection, postgres::Plans::kIndexOnly),
      publisher_(rabbitmq, queues.topology(), "intake"),
      dead_letters_(kafka, group),
      consumer_(kafka, group, TopicsOr(topics), kafka::Consumer::Start::kEarliest,
                [this](std::span<const kafka::Message> messages) { return Handle(messages); }) {}

absl::Status Intake::Handle(std::span<const kafka::Message> messages) {
  // Whoever has subscribed before an event happened gets it, however shortly before.
  RETURN_IF_ERROR(book_.CatchUp(kBookPatience));
  ASSIGN_OR_RETURN(std::vector<events::Event> events, events::ReadEvents(messages, dead_letters_));
  events::HandlingSpans spans(group_, events);
  absl::Status stored = StoreDeliveriesOf(events);
  if (!stored.ok()) spans.Fail(stored);
  return stored;
}

absl::Status Intake::StoreDeliveriesOf(std::span<const events::Event> events) {
  const std::vector<NewDelivery> deliveries = DeliveriesOf(events);
  for (std::size_t at = 0; at < deliveries.size(); at += kStoreMax) {
    RETURN_IF_ERROR(Store(std::span(deliveries).subspan(at, std::min(kStoreMax, deliveries.size() - at))));
  }
  return absl::OkStatus();
}

std::vector<NewDelivery> Intake::DeliveriesOf(std::span<const events::Event> events) const {
  std::vector<NewDelivery> deliveries;
  for (const events::Event& event : events) {
    const TenantId& tenant = event.context.tenant;
    const std::string_view store = StoreOf(event.envelope);
    for (const std::shared_ptr<const Subscription>& subscription :
         book_.Matching(tenant, event.envelope.type(), store)) {
      // What happened before somebody asked for it.
      if (event.envelope.occurred_at() < subscription->created_at) continue;
      // One at a time, in their order: the table hands them out.
      const bool is_fifo = subscription->order == DeliveryOrder::kFifo;
      const bool is_active = subscription->status == SubscriptionStatus::kActive;
      deliveries.push_back(
          {.tenant = tenant,
           .id = DeliveryIdOf(tenant, subscription->id, event.envelope.event_id()),
           .subscription = subscription->id,
           .event_id = std::string(event.envelope.event_id()),
           .event_type = std::string(event.envelope.type()),
           .store = std::string(store),
           .body = event.message.value,
           .traceparent = SampledTraceparent(event.context.trace),
           .status = is_fifo || !is_active ? DeliveryStatus::kDeferred : DeliveryStatus::kQueued});
    }
  }
  return deliveries;
}

absl::Status Intake::Store(std::span<const NewDelivery> deliveries) {
  std::set<TenantId> tenants;
  for (const NewDelivery& delivery : deliveries) tenants.insert(delivery.tenant);
  std::vector<MadeDelivery> made;
  CrashPoint("webhook-dispatcher.intake.begin");
  RETURN_IF_ERROR(session_.Transact({tenants.begin(), tenants.end()}, [&](postgres::Session& session) {
    made = MakeDeliveries(session, deliveries);
    return absl::OkStatus();
  }));
  CrashPoint("webhook-dispatcher.intake.stored");
  RETURN_IF_ERROR(Announce(made));
  CrashPoint("webhook-dispatcher.intake.published");
  made_.Increment(static_cast<double>(made.size()));
  return absl::OkStatus();
}

// Also of those that a batch before this one made: it may have ended before they were announced.
absl::Status Intake::Announce(std::span<const MadeDelivery> made) {
  std::vector<rabbitmq::Outgoing> messages;
  std::set<SubscriptionKey> looked_after;
  for (const MadeDelivery& delivery : made) {
    const SubscriptionKey subscription{delivery.tenant, delivery.subscription};
    if (delivery.status == DeliveryStatus::kQueued && delivery.attempts_made == 0) {
      messages.push_back(queues_.Work({subscription, delivery.id, 1}));
    } else if (delivery.status == DeliveryStatus::kDeferred && looked_after.insert(subscription).second) {
      messages.push_back(queues_.Look(subscription));
    }
  }
  return publisher_.Publish(messages, MonotonicNow() + kPublishPatience);
}

}  // namespace bv::webhook
