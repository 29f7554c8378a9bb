#include "services/inventory/events/hold_requests.h"

#include <absl/time/clock.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include "commerce/inventory/v1/events.pb.h"
#include "libs/async/all.h"
#include "libs/base/crash_point.h"
#include "libs/base/error.h"
#include "libs/base/id.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "services/inventory/events/answer.h"

namespace bv::inventory {
namespace {

// Of one batch in the lanes; after it the batch comes again.
constexpr absl::Duration kTimeout = absl::Seconds(30);
constexpr std::int32_t kHoldSecondsMax = 24 * 60 * 60;

absl::StatusOr<HoldCommand> CommandOf(const events::Event& event) {
  commerce::inventory::v1::ReservationRequested request;
  RETURN_IF_ERROR(event.envelope.ParsePayload(request));
  ASSIGN_OR_RETURN(const HoldId id, HoldId::Parse(request.reservation_id(), "payload.reservationId"));
  ASSIGN_OR_RETURN(const CartId cart, CartId::Parse(request.cart_id(), "payload.cartId"));
  ASSIGN_OR_RETURN(SkuCode sku, SkuCode::Parse(request.sku(), "payload.sku"));
  if (request.qty() < 0 || request.qty() > kQuantityMax) {
    return InvalidValue("payload.qty", Concat("must be 0 to ", kQuantityMax));
  }
  if (request.qty() > 0 && (request.hold_seconds() < 1 || request.hold_seconds() > kHoldSecondsMax)) {
    return InvalidValue("payload.holdSeconds", Concat("must be 1 to ", kHoldSecondsMax));
  }
  if (request.item_version() < 1) return InvalidValue("payload.itemVersion", "must be 1 or more");
  if (!request.replaces().empty()) {
    ASSIGN_OR_RETURN(const HoldId replaced, HoldId::Parse(request.replaces(), "payload.replaces"));
    if (replaced == id) return InvalidValue("payload.replaces", "must be another cart's hold");
  }
  return HoldCommand{.reservation_id = id.str(),
                     .cart_id = cart.str(),
                     .user_id = request.user_id(),
                     .sku = std::move(sku),
                     .qty = request.qty(),
                     .hold = absl::Seconds(request.hold_seconds()),
                     .item_version = request.item_version(),
                     .replaces = request.replaces()};
}

prometheus::Counter& CounterOf(const char* outcome) {
  return telemetry::Counter("inventory_hold_requests_total", "Requests of carts for holds that were decided.",
                            {{"outcome", outcome}});
}

}  // namespace

const std::string& HoldRequests::Topic() {
  return events::TypeOf<commerce::inventory::v1::ReservationRequested>().topic;
}

HoldRequests::HoldRequests(boost::asio::io_context& io, StockRoom& room, const kafka::ConsumerSettings& kafka,
                           const std::string& group, const std::string& topic)
    : io_(io),
      room_(room),
      held_(CounterOf("held")),
      not_held_(CounterOf("not_held")),
      consumer_(kafka,
                {.group = group,
                 .topics = {topic},
                 .types = events::TypeNames<commerce::inventory::v1::ReservationRequested>()},
                [this](std::span<const events::Event> events) { return Handle(events); }) {}

absl::StatusOr<events::Answers> HoldRequests::Handle(std::span<const events::Event> events) {
  events::Answers answers = events::AllDone(events);
  const Batch batch = Read(events, answers);
  CrashPoint("inventory.holds.read");
  // What is given back is there for the others, as when the items of a cart move to another. The order of one
  // item's requests does not matter, also when one of them fails and comes later: a newer one makes the older
  // ones void.
  RETURN_IF_ERROR(Execute(batch.given_back, answers));
  RETURN_IF_ERROR(Execute(batch.wanted, answers));
  CrashPoint("inventory.holds.stored");
  return answers;
}

HoldRequests::Batch HoldRequests::Read(std::span<const events::Event> events, events::Answers& answers) {
  Batch batch;
  for (std::size_t i = 0; i < events.size(); ++i) {
    absl::StatusOr<HoldCommand> command = CommandOf(events[i]);
    if (!command.ok()) {
      answers[i] = events::Answer::Refused(command.status());
      continue;
    }
    RequestContext context = events[i].context;
    context.user_id = command->user_id;
    context.deadline = absl::Now() + kTimeout;
    Requests& requests = command->qty == 0 ? batch.given_back : batch.wanted;
    requests.push_back({i, *std::move(command), std::move(context)});
  }
  return batch;
}

absl::Status HoldRequests::Execute(const Requests& requests, events::Answers& answers) {
  if (requests.empty()) return absl::OkStatus();
  const auto outcomes = boost::asio::co_spawn(io_, Submit(requests), boost::asio::use_future).get();
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const absl::StatusOr<Outcome>& outcome = outcomes[i];
    if (outcome.ok()) {
      (outcome->reservation.state == ReservationState::kHeld ? held_ : not_held_).Increment();
    } else if (events::IsPassing(outcome.status())) {
      return outcome.status();
    } else {
      answers[requests[i].number] = AnswerOf(outcome.status());
    }
  }
  return absl::OkStatus();
}

async::Task<std::vector<absl::StatusOr<Outcome>>> HoldRequests::Submit(const Requests& requests) {
  std::vector<async::Task<absl::StatusOr<Outcome>>> tasks;
  tasks.reserve(requests.size());
  for (const Request& request : requests) tasks.push_back(room_.Submit(request.command, request.context));
  co_return co_await async::All(std::move(tasks));
}

}  // namespace bv::inventory
