#include "services/mailer/events/order_events.h"

#include <absl/strings/numbers.h>

#include <set>
#include <vector>

#include "commerce/order/v1/events.pb.h"
#include "libs/base/crash_point.h"
#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "services/mailer/store/mail_rows.h"

namespace bv::mailer {
namespace {

namespace pb = commerce::order::v1;

// Of a state of the order that others do not tell.
absl::StatusOr<std::optional<Kind>> KindOfChange(const events::Event& event) {
  pb::OrderStatusChanged changed;
  RETURN_IF_ERROR(event.envelope.ParsePayload(changed));
  if (changed.reason() == "PAYMENT_FAILED") return Kind::kPaymentFailed;
  if (changed.reason() == "SHIPPED" && changed.fulfillment_status() == "PARTIALLY_SHIPPED")
    return Kind::kOrderShippedInPart;
  return std::nullopt;
}

absl::StatusOr<std::optional<Kind>> KindOfEvent(const events::Event& event) {
  if (event.envelope.Is<pb::OrderCreated>()) return Kind::kOrderPlaced;
  if (event.envelope.Is<pb::OrderPaid>()) return Kind::kOrderPaid;
  if (event.envelope.Is<pb::OrderFulfilled>()) return Kind::kOrderShipped;
  if (event.envelope.Is<pb::OrderCanceled>()) return Kind::kOrderCanceled;
  return KindOfChange(event);
}

// Absent for what is not worth a mail.
absl::StatusOr<std::optional<Occasion>> OccasionOf(const events::Event& event) {
  ASSIGN_OR_RETURN(const std::optional<Kind> kind, KindOfEvent(event));
  if (!kind) return std::nullopt;
  Occasion occasion{
      .tenant = event.context.tenant, .kind = *kind, .occurred_at = event.envelope.occurred_at()};
  ASSIGN_OR_RETURN(occasion.order, OrderId::Parse(event.envelope.partition_key(), "partitionKey"));
  const auto version = event.message.headers.find("aggregateVersion");
  if (version == event.message.headers.end() || !absl::SimpleAtoi(version->second, &occasion.version))
    return InvalidValue("aggregateVersion", "must be the number of the order's change");
  return occasion;
}

}  // namespace

const std::string& OrderEvents::Topic() {
  return events::TypeOf<pb::OrderCreated>().topic;
}

OrderEvents::OrderEvents(const kafka::ConsumerSettings& kafka, const postgres::ConnectionSettings& connection,
                         absl::Duration event_age_max, const std::string& group, const std::string& topic)
    : event_age_max_(event_age_max),
      session_(connection, postgres::Plans::kIndexOnly),
      queued_(telemetry::Counter("mailer_mails_queued_total", "Mails that events of orders were worth.")),
      consumer_(kafka,
                {.group = group,
                 .topics = {topic},
                 .types = events::TypeNames<pb::OrderCreated, pb::OrderPaid, pb::OrderFulfilled,
                                            pb::OrderCanceled, pb::OrderStatusChanged>()},
                [this](std::span<const events::Event> events) { return Handle(events); }) {}

absl::StatusOr<events::Answers> OrderEvents::Handle(std::span<const events::Event> events) {
  events::Answers answers;
  std::vector<Occasion> occasions;
  std::set<TenantId> tenants;
  const absl::Time oldest = absl::Now() - event_age_max_;
  for (const events::Event& event : events) {
    absl::StatusOr<std::optional<Occasion>> occasion = OccasionOf(event);
    answers.push_back(occasion.ok() ? events::Answer::Done() : events::Answer::Refused(occasion.status()));
    if (!occasion.ok() || !*occasion || (*occasion)->occurred_at < oldest) continue;
    tenants.insert((*occasion)->tenant);
    occasions.push_back(**std::move(occasion));
  }
  if (occasions.empty()) return answers;
  std::int64_t queued = 0;
  RETURN_IF_ERROR(session_.Transact({tenants.begin(), tenants.end()}, [&](postgres::Session& session) {
    queued = QueueMails(session, occasions);
    return absl::OkStatus();
  }));
  CrashPoint("mailer.events.queued");
  queued_.Increment(static_cast<double>(queued));
  return answers;
}

}  // namespace bv::mailer
