#include "services/payment-adapter/events/payment_events.h"

#include "commerce/payment/v1/events.pb.h"
#include "libs/base/strings.h"
#include "services/payment-adapter/domain/words.h"

namespace bv::payment {
namespace {

template <class Event>
Event EventOf(const Payment& payment) {
  Event event;
  event.set_payment_id(payment.id.str());
  event.set_order_id(payment.order.str());
  event.set_amount(payment.money.minor_units);
  event.set_currency(std::string(payment.money.currency.code()));
  event.set_gateway(std::string(Word(payment.gateway)));
  return event;
}

}  // namespace

absl::StatusOr<events::OutboxRow> OutcomeRow(const Payment& payment, const RequestContext& context) {
  if (payment.status == Status::kSucceeded) {
    auto event = EventOf<commerce::payment::v1::PaymentSucceeded>(payment);
    event.set_method(std::string(Word(payment.method)));
    event.set_reference(payment.reference);
    return events::MakeRow(event, payment.version, payment.updated_at, context);
  }
  if (payment.status == Status::kFailed) {
    auto event = EventOf<commerce::payment::v1::PaymentFailed>(payment);
    event.set_method(std::string(Word(payment.method)));
    event.set_reason(payment.failure_reason);
    return events::MakeRow(event, payment.version, payment.updated_at, context);
  }
  if (payment.status == Status::kRefunded) {
    auto event = EventOf<commerce::payment::v1::PaymentRefunded>(payment);
    event.set_reason(payment.refund_reason);
    return events::MakeRow(event, payment.version, payment.updated_at, context);
  }
  return absl::InternalError(Concat("a payment that is ", Word(payment.status), " is no outcome"));
}

}  // namespace bv::payment
