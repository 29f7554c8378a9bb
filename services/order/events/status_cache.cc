#include "services/order/events/status_cache.h"

#include "commerce/order/v1/events.pb.h"
#include "libs/base/macros.h"
#include "services/order/domain/words.h"

namespace bv::order {
namespace {

namespace pb = commerce::order::v1;
using projections::Change;
using projections::Event;
using projections::Kind;
using projections::Put;
using projections::Remove;

Put StatusPut(std::int64_t version, std::string status) {
  return {.facet = 0, .version = version, .values = {std::move(status)}};
}

// OrderPaid, OrderCanceled and OrderFulfilled come with an OrderStatusChanged of the same version, which says
// more.
absl::StatusOr<std::vector<Change>> ChangesOf(const Event& event) {
  if (event.envelope.Is<pb::OrderCreated>()) {
    pb::OrderCreated created;
    RETURN_IF_ERROR(event.envelope.ParsePayload(created));
    Put put = StatusPut(event.aggregate_version, std::string(Word(Status::kPending)));
    return std::vector<Change>{{event.tenant, {created.order_id()}, std::move(put)}};
  }
  if (!event.envelope.Is<pb::OrderStatusChanged>()) return std::vector<Change>();
  pb::OrderStatusChanged changed;
  RETURN_IF_ERROR(event.envelope.ParsePayload(changed));
  if (changed.status() == Word(Status::kFulfilled) || changed.status() == Word(Status::kCanceled))
    return std::vector<Change>{{event.tenant, {changed.order_id()}, Remove{event.aggregate_version}}};
  Put details{.facet = 1,
              .version = event.aggregate_version,
              .values = {changed.payment_status(), changed.fulfillment_status()}};
  return std::vector<Change>{
      {event.tenant, {changed.order_id()}, StatusPut(event.aggregate_version, changed.status())},
      {event.tenant, {changed.order_id()}, std::move(details)}};
}

}  // namespace

projections::Projection StatusCache() {
  return {.name = "order_status",
          .version = 1,
          .topics = {events::TypeOf<pb::OrderCreated>().topic},
          .shape = {.key = {{"order_id", Kind::kText}},
                    .facets = {{"order", {{"status", Kind::kText}}},
                               {"details",
                                {{"payment_status", Kind::kText}, {"fulfillment_status", Kind::kText}}}}},
          .changes = ChangesOf};
}

}  // namespace bv::order
