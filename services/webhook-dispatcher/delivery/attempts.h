// One attempt: what is sent, and what its outcome means.
#pragma once

#include <absl/time/time.h>

#include <memory>
#include <optional>

#include "libs/egress/egress.h"
#include "libs/telemetry/telemetry.h"
#include "services/webhook-dispatcher/domain/delivery.h"
#include "services/webhook-dispatcher/domain/schedule.h"
#include "services/webhook-dispatcher/domain/subscription.h"
#include "services/webhook-dispatcher/domain/verdict.h"
#include "services/webhook-dispatcher/store/deliveries.h"

namespace bv::webhook {

// The event's envelope, signed `now`, to where the subscription says now.
egress::Request RequestOf(const Delivery& delivery, const Subscription& subscription, absl::Time now);

// The span of an attempt, which the receiver is told in the header `traceparent`; null when the delivery's
// trace is not sampled.
std::unique_ptr<telemetry::Span> BeginSpan(const Delivery& delivery, egress::Request& request);
// What came of it.
void EndSpan(telemetry::Span& span, const egress::Outcome& outcome);

struct Judged {
  // What is to be stored.
  Attempt attempt;
  Verdict verdict = Verdict::kFailed;
  // The delay before the next attempt, counted from 0, when a message of RabbitMQ is to wait for it.
  std::optional<int> tier;
};

// `began` by the wall clock. Of a FIFO subscription, and where the receiver asks for a longer pause than the
// delay is, the delivery is deferred: PostgreSQL knows when it is due.
Judged Judge(const Delivery& delivery, DeliveryOrder order, const egress::Outcome& outcome, absl::Time began,
             const Schedule& schedule);

}  // namespace bv::webhook
