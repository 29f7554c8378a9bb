// A delivery: one event on its way to one subscription. Pure.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "libs/base/id.h"
#include "libs/base/values.h"
#include "services/webhook-dispatcher/domain/subscription.h"

namespace bv::webhook {

BV_DEFINE_ID(DeliveryId, "whd");

enum class DeliveryStatus {
  // A message of RabbitMQ leads to the next attempt.
  kQueued,
  // It is taken from the table, in the order of its sequence.
  kDeferred,
  kDelivered,
  // Every attempt has failed.
  kFailed,
  // The subscription was deleted first.
  kCanceled,
};

// As in rows.
std::string_view Word(DeliveryStatus status);
// The inverse, for rows of the own database; kQueued for a word that is none.
DeliveryStatus DeliveryStatusOf(std::string_view word);

// Of an event that is sent once: the same however often the event comes.
DeliveryId DeliveryIdOf(const TenantId& tenant, const SubscriptionId& subscription,
                        std::string_view event_id);

// What is to be sent now.
struct Delivery {
  TenantId tenant;
  DeliveryId id;
  SubscriptionId subscription;
  std::string event_id;
  std::string event_type;
  // The event's envelope.
  std::string body;
  // Counts the deliveries of the subscription from 1.
  std::int64_t sequence = 0;
  DeliveryStatus status = DeliveryStatus::kQueued;
  int attempts_made = 0;
  // Of the next attempt.
  absl::Time due_at;
  // What attempts hang below; empty when the trace is not sampled.
  std::string traceparent;
};

}  // namespace bv::webhook
