#include "services/webhook-dispatcher/delivery/attempts.h"

#include <string>

#include "libs/base/strings.h"
#include "services/webhook-dispatcher/domain/redact.h"
#include "services/webhook-dispatcher/domain/signature.h"

namespace bv::webhook {

egress::Request RequestOf(const Delivery& delivery, const Subscription& subscription, absl::Time now) {
  egress::Request request{.url = subscription.url, .body = delivery.body};
  request.headers = SignedHeaders(delivery.id.str(), delivery.body, subscription.SecretsAt(now), now);
  request.headers.emplace_back("Content-Type", "application/json");
  request.headers.emplace_back("User-Agent", "Bivouac-Webhooks/1");
  request.headers.emplace_back("X-BV-Event-Type", delivery.event_type);
  request.headers.emplace_back("X-BV-Attempt", std::to_string(delivery.attempts_made + 1));
  if (subscription.order == DeliveryOrder::kFifo)
    request.headers.emplace_back("X-BV-Sequence", std::to_string(delivery.sequence));
  return request;
}

std::unique_ptr<telemetry::Span> BeginSpan(const Delivery& delivery, egress::Request& request) {
  if (delivery.traceparent.empty()) return nullptr;
  auto span = std::make_unique<telemetry::Span>("POST", telemetry::SpanKind::kClient,
                                                telemetry::ParseTraceparent(delivery.traceparent));
  // Not the URL: it may have a secret in it.
  span->Set("webhook.subscription_id", delivery.subscription.str());
  span->Set("webhook.delivery_id", delivery.id.str());
  span->Set("webhook.attempt", std::to_string(delivery.attempts_made + 1));
  span->Set("eventType", delivery.event_type);
  request.headers.emplace_back("traceparent", span->context().ToTraceparent());
  return span;
}

void EndSpan(telemetry::Span& span, const egress::Outcome& outcome) {
  if (outcome.status != 0) span.Set("http.response.status_code", std::to_string(outcome.status));
  if (outcome.error != egress::ErrorClass::kNone) {
    span.Fail(absl::UnavailableError(Absl(egress::NameOf(outcome.error))));
  } else if (VerdictOf(outcome.status) != Verdict::kDelivered) {
    span.Fail(absl::UnavailableError(Concat("the receiver answered ", outcome.status)));
  }
  span.End();
}

Judged Judge(const Delivery& delivery, DeliveryOrder order, const egress::Outcome& outcome, absl::Time began,
             const Schedule& schedule) {
  Judged judged;
  judged.verdict = outcome.error == egress::ErrorClass::kNone ? VerdictOf(outcome.status) : Verdict::kFailed;
  Attempt& attempt = judged.attempt;
  attempt = {.key = {delivery.tenant, delivery.id},
             .number = delivery.attempts_made + 1,
             .at = began,
             .latency = outcome.latency,
             .status = outcome.status,
             .detail = Redacted(outcome.detail),
             .answer = Redacted(outcome.answer),
             .next = DeliveryStatus::kDelivered};
  if (judged.verdict == Verdict::kDelivered) return judged;
  attempt.error_class =
      outcome.error == egress::ErrorClass::kNone ? kStatusClass : egress::NameOf(outcome.error);
  if (attempt.detail.empty()) attempt.detail = Concat("the receiver answered ", outcome.status);
  const bool is_throttled = judged.verdict == Verdict::kThrottled;
  const std::optional<Retry> retry =
      schedule.After(attempt.number, is_throttled ? outcome.retry_after : std::nullopt);
  if (!retry) {
    attempt.next = DeliveryStatus::kFailed;
    return judged;
  }
  attempt.pause = retry->pause;
  const bool waits_in_queue = order == DeliveryOrder::kAny && judged.verdict != Verdict::kGone &&
                              retry->pause == schedule.delays()[static_cast<std::size_t>(retry->tier)];
  attempt.next = waits_in_queue ? DeliveryStatus::kQueued : DeliveryStatus::kDeferred;
  if (waits_in_queue) judged.tier = retry->tier;
  return judged;
}

}  // namespace bv::webhook
