#include "services/cart/events/hold_answers.h"

#include <optional>
#include <set>

#include "commerce/inventory/v1/events.pb.h"
#include "libs/base/crash_point.h"
#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/rpc/timestamp.h"

namespace bv::cart {
namespace {

namespace pb = commerce::inventory::v1;

absl::StatusOr<AnswerForItem> AnswerOf(const events::Event& event, const std::string& cart_id,
                                       const std::string& sku, HoldAnswer answer) {
  AnswerForItem result{.tenant = event.context.tenant, .answer = answer};
  ASSIGN_OR_RETURN(result.cart, CartId::Parse(cart_id, "payload.cartId"));
  ASSIGN_OR_RETURN(result.sku, SkuCode::Parse(sku, "payload.sku"));
  return result;
}

absl::StatusOr<AnswerForItem> HeldOf(const events::Event& event) {
  pb::ReservationHeld held;
  RETURN_IF_ERROR(event.envelope.ParsePayload(held));
  if (held.qty() < 1) return InvalidValue("payload.qty", "must be 1 or more");
  return AnswerOf(event, held.cart_id(), held.sku(),
                  {.kind = HoldAnswer::Kind::kHeld,
                   .item_version = held.item_version(),
                   .qty = held.qty(),
                   .until = rpc::FromTimestamp(held.expires_at())});
}

// Of the events that say no more than which item they are about.
template <class Payload>
absl::StatusOr<AnswerForItem> PlainOf(const events::Event& event, HoldAnswer::Kind kind) {
  Payload payload;
  RETURN_IF_ERROR(event.envelope.ParsePayload(payload));
  return AnswerOf(event, payload.cart_id(), payload.sku(),
                  {.kind = kind, .item_version = payload.item_version()});
}

// Absent for a hold that was not a cart's.
absl::StatusOr<std::optional<AnswerForItem>> ExpiredOf(const events::Event& event) {
  pb::ReservationExpired expired;
  RETURN_IF_ERROR(event.envelope.ParsePayload(expired));
  if (expired.holder() != "CART") return std::nullopt;
  // A cart holds one item under an id; its lines differ in their locations only.
  const std::string sku = expired.lines().empty() ? std::string() : expired.lines(0).sku();
  return AnswerOf(event, expired.cart_id(), sku,
                  {.kind = HoldAnswer::Kind::kExpired, .item_version = expired.item_version()});
}

// Absent for events that are no answers to carts.
absl::StatusOr<std::optional<AnswerForItem>> AnswerOf(const events::Event& event) {
  if (event.envelope.Is<pb::ReservationHeld>()) return HeldOf(event);
  if (event.envelope.Is<pb::ReservationRejected>())
    return PlainOf<pb::ReservationRejected>(event, HoldAnswer::Kind::kRejected);
  if (event.envelope.Is<pb::ReservationReleased>())
    return PlainOf<pb::ReservationReleased>(event, HoldAnswer::Kind::kReleased);
  if (event.envelope.Is<pb::ReservationExpired>()) return ExpiredOf(event);
  return std::nullopt;
}

prometheus::Counter* CounterOf(const char* answer) {
  return &telemetry::Counter("cart_hold_answers_total", "Answers of inventory that carts have taken in.",
                             {{"answer", answer}});
}

}  // namespace

const std::string& HoldAnswers::Topic() {
  return events::TypeOf<pb::ReservationHeld>().topic;
}

HoldAnswers::HoldAnswers(const kafka::ConsumerSettings& kafka, const postgres::ConnectionSettings& connection,
                         const std::string& group, const std::string& topic)
    : session_(connection, postgres::Plans::kIndexOnly),
      taken_{{HoldAnswer::Kind::kHeld, CounterOf("held")},
             {HoldAnswer::Kind::kRejected, CounterOf("rejected")},
             {HoldAnswer::Kind::kReleased, CounterOf("released")},
             {HoldAnswer::Kind::kExpired, CounterOf("expired")}},
      consumer_(kafka,
                {.group = group,
                 .topics = {topic},
                 .types = events::TypeNames<pb::ReservationHeld, pb::ReservationRejected,
                                            pb::ReservationReleased, pb::ReservationExpired>()},
                [this](std::span<const events::Event> events) { return Handle(events); }) {}

absl::StatusOr<events::Answers> HoldAnswers::Handle(std::span<const events::Event> events) {
  events::Answers outcomes;
  std::vector<AnswerForItem> answers;
  for (const events::Event& event : events) {
    absl::StatusOr<std::optional<AnswerForItem>> answer = AnswerOf(event);
    outcomes.push_back(answer.ok() ? events::Answer::Done() : events::Answer::Refused(answer.status()));
    if (answer.ok() && answer->has_value()) answers.push_back(**std::move(answer));
  }
  if (answers.empty()) return outcomes;
  CrashPoint("cart.answers.read");
  RETURN_IF_ERROR(Store(answers));
  CrashPoint("cart.answers.stored");
  for (const AnswerForItem& answer : answers) taken_.at(answer.answer.kind)->Increment();
  return outcomes;
}

absl::Status HoldAnswers::Store(const std::vector<AnswerForItem>& answers) {
  std::set<TenantId> tenants;
  for (const AnswerForItem& answer : answers) tenants.insert(answer.tenant);
  return session_.Transact({tenants.begin(), tenants.end()}, [&](postgres::Session& session) {
    StoreAnswers(session, answers);
    return absl::OkStatus();
  });
}

}  // namespace bv::cart
