#include "services/order/events/peer_events.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <future>

#include "commerce/inventory/v1/events.pb.h"
#include "commerce/payment/v1/events.pb.h"
#include "libs/base/crash_point.h"
#include "libs/base/macros.h"
#include "services/order/store/change_rows.h"

namespace bv::order {
namespace {

namespace asio = boost::asio;

constexpr absl::Duration kReadTimeout = absl::Seconds(10);

events::Answer AnswerOf(absl::Status status) {
  if (status.ok()) return events::Answer::Done();
  // The same event again will end the same way.
  if (absl::IsInvalidArgument(status) || absl::IsFailedPrecondition(status))
    return events::Answer::Refused(std::move(status));
  return events::Answer::Failed(std::move(status));
}

}  // namespace

std::vector<std::string> PeerEvents::Topics() {
  return {events::TypeOf<commerce::inventory::v1::ReservationExpired>().topic,
          events::TypeOf<commerce::payment::v1::PaymentSucceeded>().topic};
}

PeerEvents::PeerEvents(asio::io_context& io, const kafka::ConsumerSettings& kafka, postgres::Pool& pool,
                       Reconciler& reconciler, const std::string& group,
                       const std::vector<std::string>& topics)
    : io_(io),
      pool_(pool),
      reconciler_(reconciler),
      consumer_(kafka,
                {.group = group,
                 .topics = topics,
                 .types = events::TypeNames<commerce::inventory::v1::ReservationExpired,
                                            commerce::payment::v1::PaymentSucceeded>(),
                 .one_of_a_key = true},
                [this](std::span<const events::Event> events) { return Handle(events); }) {}

absl::StatusOr<events::Answers> PeerEvents::Handle(std::span<const events::Event> events) {
  // All at once, so that they share the lanes' batches.
  std::vector<std::future<absl::Status>> taken;
  for (const events::Event& event : events)
    taken.push_back(asio::co_spawn(io_, Take(event), asio::use_future));
  events::Answers answers;
  for (std::future<absl::Status>& one : taken) answers.push_back(AnswerOf(one.get()));
  CrashPoint("order.events.taken");
  return answers;
}

async::Task<absl::Status> PeerEvents::Take(const events::Event& event) {
  if (event.envelope.Is<commerce::inventory::v1::ReservationExpired>()) co_return co_await TakeExpired(event);
  if (event.envelope.Is<commerce::payment::v1::PaymentSucceeded>()) co_return co_await TakeSucceeded(event);
  co_return absl::OkStatus();
}

async::Task<absl::Status> PeerEvents::TakeExpired(const events::Event& event) {
  using Found = std::vector<ReservedOrder>;
  commerce::inventory::v1::ReservationExpired expired;
  CO_RETURN_IF_ERROR(event.envelope.ParsePayload(expired));
  if (expired.holder() != "ORDER") co_return absl::OkStatus();
  RequestContext context = event.context;
  context.deadline = absl::Now() + kReadTimeout;
  std::function<absl::StatusOr<Found>(postgres::Session&)> find =
      [&](postgres::Session& session) -> absl::StatusOr<Found> {
    return FindReservations(session, context.tenant, {expired.reservation_id()});
  };
  CO_ASSIGN_OR_RETURN(const Found found, co_await pool_.Read<Found>(context, std::move(find)));
  // None: a hold whose order was never stored.
  for (const ReservedOrder& reserved : found)
    CO_RETURN_IF_ERROR(co_await reconciler_.Expire(reserved.order, context));
  co_return absl::OkStatus();
}

async::Task<absl::Status> PeerEvents::TakeSucceeded(const events::Event& event) {
  commerce::payment::v1::PaymentSucceeded succeeded;
  CO_RETURN_IF_ERROR(event.envelope.ParsePayload(succeeded));
  CO_ASSIGN_OR_RETURN(PaymentId payment, PaymentId::Parse(succeeded.payment_id(), "payload.paymentId"));
  CO_ASSIGN_OR_RETURN(OrderId order, OrderId::Parse(succeeded.order_id(), "payload.orderId"));
  SettledPayment made{.payment = std::move(payment),
                      .order = std::move(order),
                      .amount = {succeeded.amount(), Currency::Trusted(succeeded.currency())},
                      .reference = succeeded.reference()};
  co_return co_await reconciler_.Settle(std::move(made), event.context);
}

}  // namespace bv::order
