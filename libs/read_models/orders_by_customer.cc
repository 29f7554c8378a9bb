#include "libs/read_models/orders_by_customer.h"

#include "commerce/order/v1/events.pb.h"
#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/money.h"
#include "libs/base/strings.h"

namespace bv::read_models {
namespace {

namespace pb = commerce::order::v1;
using projections::Change;
using projections::Event;
using projections::Kind;
using projections::Put;
using projections::Value;

// Facets: what an order is from its creation on, and its states.
constexpr std::size_t kPlaced = 0, kState = 1;

// The key; INVALID_ARGUMENT without one of them.
absl::StatusOr<std::vector<Value>> KeyOf(const std::string& user_id, const std::string& order_id) {
  if (user_id.empty()) return InvalidValue("payload.userId", "must not be empty");
  if (order_id.empty()) return InvalidValue("payload.orderId", "must not be empty");
  return std::vector<Value>{user_id, order_id};
}

absl::StatusOr<std::vector<Change>> CreatedOf(const Event& event) {
  pb::OrderCreated created;
  RETURN_IF_ERROR(event.envelope.ParsePayload(created));
  ASSIGN_OR_RETURN(const std::vector<Value> key, KeyOf(created.user_id(), created.order_id()));
  ASSIGN_OR_RETURN(const Currency currency, Currency::Parse(created.currency(), "payload.currency"));
  const absl::Time at = event.envelope.occurred_at();
  Put placed{kPlaced, event.aggregate_version, {created.total_amount(), std::string(currency.code()), at}};
  // How it is to be paid the event does not say.
  Put state{kState,
            event.aggregate_version,
            {std::string("PENDING"), std::string(), std::string("UNFULFILLED"), at}};
  return std::vector<Change>{{event.tenant, key, std::move(placed)}, {event.tenant, key, std::move(state)}};
}

// It comes with every other event that changes a state, so those are passed over.
absl::StatusOr<std::vector<Change>> ChangedOf(const Event& event) {
  pb::OrderStatusChanged changed;
  RETURN_IF_ERROR(event.envelope.ParsePayload(changed));
  ASSIGN_OR_RETURN(const std::vector<Value> key, KeyOf(changed.user_id(), changed.order_id()));
  Put state{kState,
            event.aggregate_version,
            {changed.status(), changed.payment_status(), changed.fulfillment_status(),
             event.envelope.occurred_at()}};
  return std::vector<Change>{{event.tenant, key, std::move(state)}};
}

absl::StatusOr<std::vector<Change>> ChangesOf(const Event& event) {
  if (event.envelope.Is<pb::OrderCreated>()) return CreatedOf(event);
  if (event.envelope.Is<pb::OrderStatusChanged>()) return ChangedOf(event);
  return std::vector<Change>();
}

}  // namespace

projections::Projection OrdersByCustomer() {
  return {.name = "orders_by_customer",
          .version = 1,
          .topics = {events::TypeOf<pb::OrderCreated>().topic},
          .shape = {.key = {{"user_id", Kind::kText}, {"order_id", Kind::kText}},
                    .facets = {{"placed",
                                {{"total_amount", Kind::kInteger},
                                 {"currency", Kind::kText},
                                 {"created_at", Kind::kTime}}},
                               {"state",
                                {{"status", Kind::kText},
                                 {"payment_status", Kind::kText},
                                 {"fulfillment_status", Kind::kText},
                                 {"updated_at", Kind::kTime}}}}},
          .changes = ChangesOf};
}

}  // namespace bv::read_models
