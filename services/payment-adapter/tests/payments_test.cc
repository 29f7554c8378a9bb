// What a caller gets: charges, declines, refunds, methods without a gateway, repeats and mix-ups.
#include <gmock/gmock.h>

#include "libs/base/strings.h"
#include "services/payment-adapter/store/payment_book.h"
#include "services/payment-adapter/tests/payment_fixture.h"

namespace bv::payment {
namespace {

using ::testing::HasSubstr;

class Payments : public PaymentTest {
 protected:
  pb::ProcessPaymentRequest ManualRequest(pb::PaymentMethod method = pb::PAYMENT_METHOD_BANK_TRANSFER) {
    pb::ProcessPaymentRequest request = NewRequest();
    request.set_method(method);
    return request;
  }
};

TEST_F(Payments, ACardIsCharged) {
  const pb::ProcessPaymentRequest request = NewRequest();
  const absl::StatusOr<pb::Payment> paid = Pay(request);
  ASSERT_TRUE(paid.ok()) << paid.status();
  EXPECT_EQ(paid->status(), pb::PAYMENT_STATUS_SUCCEEDED);
  EXPECT_EQ(paid->gateway(), "SOAP");
  EXPECT_FALSE(paid->reference().empty());
  EXPECT_EQ(paid->amount(), 12950);
  EXPECT_EQ(AttemptsOf(paid), "CHARGE SOAP SUCCEEDED");
  const Ledger ledger = simulator().Read("SOAP");
  EXPECT_EQ(ledger.ChargesOf(OrderAtGateway(request)), 1);
  EXPECT_EQ(ledger.accounts.at(OrderAtGateway(request)).amount, "129.50 USD");
  EXPECT_EQ(EventsOf(request), "succeeded");
  const std::string event = Query("SELECT payload FROM outbox.event WHERE tenant_id = $T");
  EXPECT_THAT(event, HasSubstr(R"("eventType":"ecommerce.payment.payment.succeeded.v1")"));
  EXPECT_THAT(event, HasSubstr(R"("amount":129.50)"));
  EXPECT_THAT(event, HasSubstr(R"("method":"CARD","gateway":"SOAP")"));
}

TEST_F(Payments, TheSameRequestGetsTheSameAnswer) {
  const pb::ProcessPaymentRequest request = NewRequest();
  const absl::StatusOr<pb::Payment> first = Pay(request);
  const absl::StatusOr<pb::Payment> again = Pay(request);
  ASSERT_TRUE(first.ok() && again.ok());
  EXPECT_EQ(again->SerializeAsString(), first->SerializeAsString());
  EXPECT_EQ(Get(request.payment_id())->SerializeAsString(), first->SerializeAsString());
  EXPECT_EQ(EventsOf(request), "succeeded");
  pb::ProcessPaymentRequest other = request;
  other.set_amount(1);
  EXPECT_EQ(OutcomeOf(Pay(other)), "PAYMENT_MISMATCH");
  other = request;
  other.set_order_id(OrderId::New().str());
  EXPECT_EQ(OutcomeOf(Pay(other)), "PAYMENT_MISMATCH");
}

TEST_F(Payments, ADeclineIsAnAnswer) {
  simulator().Tell(R"({"gateway":"SOAP","declineAmounts":["13.37"]})");
  pb::ProcessPaymentRequest request = NewRequest(1337);
  const absl::StatusOr<pb::Payment> declined = Pay(request);
  ASSERT_TRUE(declined.ok()) << declined.status();
  EXPECT_EQ(declined->status(), pb::PAYMENT_STATUS_FAILED);
  EXPECT_EQ(declined->failure_reason(), "INSUFFICIENT_FUNDS");
  EXPECT_EQ(OutcomeOf(Pay(request)), "FAILED");
  // The customer tries again: a payment of its own.
  simulator().Reset();
  request.set_payment_id(PaymentId::New().str());
  EXPECT_EQ(OutcomeOf(Pay(request)), "SUCCEEDED");
  EXPECT_EQ(EventsOf(request), "failed, succeeded");
  request.set_payment_id(PaymentId::New().str());
  EXPECT_EQ(OutcomeOf(Pay(request)), "ALREADY_PAID");
  EXPECT_EQ(simulator().Read("SOAP").ChargesOf(OrderAtGateway(request)), 1);
}

TEST_F(Payments, CurrenciesHaveTheirOwnDigits) {
  for (const auto& [currency, amount] :
       std::map<std::string, std::string>{{"JPY", "12950 JPY"}, {"KWD", "12.950 KWD"}}) {
    pb::ProcessPaymentRequest request = NewRequest();
    request.set_currency(currency);
    ASSERT_EQ(OutcomeOf(Pay(request)), "SUCCEEDED");
    EXPECT_EQ(simulator().Read("SOAP").accounts.at(OrderAtGateway(request)).amount, amount);
  }
}

TEST_F(Payments, ARefundGoesBackWhereTheMoneyCameFrom) {
  const pb::ProcessPaymentRequest request = NewRequest();
  ASSERT_EQ(OutcomeOf(Pay(request)), "SUCCEEDED");
  const absl::StatusOr<pb::Payment> refunded = Refund(request.payment_id());
  EXPECT_EQ(OutcomeOf(refunded), "REFUNDED");
  EXPECT_EQ(AttemptsOf(refunded), "CHARGE SOAP SUCCEEDED, REFUND SOAP SUCCEEDED");
  EXPECT_EQ(OutcomeOf(Refund(request.payment_id())), "REFUNDED");
  EXPECT_EQ(OutcomeOf(Pay(request)), "REFUNDED");
  EXPECT_EQ(simulator().Read("SOAP").RefundsOf(OrderAtGateway(request)), 1);
  EXPECT_EQ(EventsOf(request), "succeeded, refunded");
}

TEST_F(Payments, OnlyWhatWasPaidIsRefunded) {
  simulator().Tell(R"({"gateway":"SOAP","declineNext":1})");
  const pb::ProcessPaymentRequest request = NewRequest();
  ASSERT_EQ(OutcomeOf(Pay(request)), "FAILED");
  EXPECT_EQ(OutcomeOf(Refund(request.payment_id())), "PAYMENT_STATE");
  EXPECT_EQ(OutcomeOf(Refund(PaymentId::New().str())), "PAYMENT_NOT_FOUND");
}

TEST_F(Payments, MoneyThatAPersonSeesWaitsForThem) {
  for (const pb::PaymentMethod method :
       {pb::PAYMENT_METHOD_BANK_TRANSFER, pb::PAYMENT_METHOD_CASH_ON_DELIVERY}) {
    const pb::ProcessPaymentRequest request = ManualRequest(method);
    EXPECT_EQ(OutcomeOf(Pay(request)), "PENDING");
    EXPECT_EQ(OutcomeOf(Pay(request)), "PENDING");
    EXPECT_EQ(EventsOf(request), "");
    EXPECT_EQ(OutcomeOf(Refund(request.payment_id())), "PAYMENT_STATE");
    EXPECT_EQ(OutcomeOf(Confirm(request.payment_id(), 1, "ref")), "AMOUNT_MISMATCH");
    const absl::StatusOr<pb::Payment> confirmed = Confirm(request.payment_id(), 12950, "ref");
    EXPECT_EQ(OutcomeOf(confirmed), "SUCCEEDED");
    EXPECT_EQ(confirmed->reference(), "ref");
    EXPECT_EQ(confirmed->gateway(), "");
    EXPECT_EQ(OutcomeOf(Confirm(request.payment_id(), 12950, "ref")), "SUCCEEDED");
    EXPECT_EQ(OutcomeOf(Confirm(request.payment_id(), 12950, "other")), "PAYMENT_STATE");
    EXPECT_EQ(EventsOf(request), "succeeded");
    EXPECT_EQ(OutcomeOf(Refund(request.payment_id())), "REFUNDED");
    EXPECT_EQ(OutcomeOf(Refund(request.payment_id())), "REFUNDED");
    EXPECT_EQ(EventsOf(request), "succeeded, refunded");
  }
}

TEST_F(Payments, AnOrderIsPaidOnceByWhicheverMethod) {
  pb::ProcessPaymentRequest transfer = ManualRequest();
  ASSERT_EQ(OutcomeOf(Pay(transfer)), "PENDING");
  pb::ProcessPaymentRequest card = NewRequest();
  card.set_order_id(transfer.order_id());
  ASSERT_EQ(OutcomeOf(Pay(card)), "SUCCEEDED");
  EXPECT_EQ(OutcomeOf(Confirm(transfer.payment_id(), 12950, "ref")), "ALREADY_PAID");
  EXPECT_EQ(OutcomeOf(Confirm(card.payment_id(), 12950, "ref")), "PAYMENT_STATE");
  transfer.set_payment_id(PaymentId::New().str());
  EXPECT_EQ(OutcomeOf(Pay(transfer)), "ALREADY_PAID");
}

TEST_F(Payments, OrdersOfTwoTenantsAreTwoOrdersToTheGateway) {
  const pb::ProcessPaymentRequest request = NewRequest();
  ASSERT_EQ(OutcomeOf(Pay(request)), "SUCCEEDED");
  RequestContext stranger = testing::ContextOf("stranger", "order-service", Role::kService);
  stranger.deadline = absl::Now() + absl::Seconds(10);
  pb::GetPaymentRequest get;
  get.set_payment_id(request.payment_id());
  EXPECT_EQ(OutcomeOf(Call(&PaymentRpc::GetPayment, get, stranger)), "PAYMENT_NOT_FOUND");
  const absl::StatusOr<pb::Payment> theirs = Call(&PaymentRpc::ProcessPayment, request, stranger);
  ASSERT_TRUE(theirs.ok()) << theirs.status();
  EXPECT_NE(theirs->reference(), Get(request.payment_id())->reference());
}

TEST_F(Payments, BadRequestsNameTheField) {
  const auto field = [&](auto change) {
    pb::ProcessPaymentRequest request = NewRequest();
    change(request);
    return GetErrorDetail(Pay(request).status()).field;
  };
  EXPECT_EQ(field([](auto& r) { r.set_payment_id("pay_1"); }), "paymentId");
  EXPECT_EQ(field([](auto& r) { r.set_order_id(""); }), "orderId");
  EXPECT_EQ(field([](auto& r) { r.set_amount(0); }), "amount");
  EXPECT_EQ(field([](auto& r) { r.set_amount(kAmountMax + 1); }), "amount");
  EXPECT_EQ(field([](auto& r) { r.set_currency("ZZZ"); }), "currency");
  EXPECT_EQ(field([](auto& r) { r.set_method(pb::PAYMENT_METHOD_UNSPECIFIED); }), "method");
  EXPECT_EQ(GetErrorDetail(Confirm(PaymentId::New().str(), 1, "").status()).field, "reference");
  EXPECT_EQ(Query("SELECT count(*) FROM payment.payments WHERE tenant_id = $T"), "0");
}

TEST_F(Payments, ListHasAllOfAnOrder) {
  pb::ProcessPaymentRequest request = NewRequest();
  simulator().Tell(R"({"gateway":"SOAP","declineNext":2})");
  for (const char* outcome : {"FAILED", "FAILED", "SUCCEEDED"}) {
    EXPECT_EQ(OutcomeOf(Pay(request)), outcome);
    request.set_payment_id(PaymentId::New().str());
  }
  pb::ListPaymentsRequest list;
  list.set_order_id(request.order_id());
  const absl::StatusOr<pb::ListPaymentsResponse> found = Call(&PaymentRpc::ListPayments, list, Context());
  ASSERT_TRUE(found.ok()) << found.status();
  ASSERT_EQ(found->payments_size(), 3);
  EXPECT_EQ(found->payments(0).status(), pb::PAYMENT_STATUS_FAILED);
  EXPECT_EQ(found->payments(2).status(), pb::PAYMENT_STATUS_SUCCEEDED);
  EXPECT_EQ(found->payments(2).attempts_size(), 1);
}

TEST_F(Payments, AnOutcomeThatIsStoredTwiceIsOneOutcome) {
  const pb::ProcessPaymentRequest request = NewRequest();
  const Lease lease{.holder = "me", .time = absl::Seconds(5)};
  const RequestContext context = Context();
  postgres::Session session(database().Connection(), postgres::Plans::kDefault);
  const auto transact = [&](auto work) {
    const absl::Status done = session.Transact(
        {context.tenant}, [&](postgres::Session& s) -> absl::Status { return work(s).status(); });
    EXPECT_TRUE(done.ok()) << done;
  };
  const Payment asked = *FromProto(request);
  absl::StatusOr<BegunAttempt> begun;
  transact([&](postgres::Session& s) { return OpenPayment(s, context.tenant, asked, lease); });
  transact([&](postgres::Session& s) {
    return begun = BeginAttempt(s, context.tenant, asked.id, Operation::kCharge, GatewayName::kSoap,
                                absl::Seconds(1), lease);
  });
  for (int i = 0; i < 2; ++i) {
    absl::StatusOr<Payment> finished;
    transact([&](postgres::Session& s) {
      return finished =
                 FinishAttempt(s, context, *begun, {.outcome = Outcome::kSucceeded, .reference = "t"}, lease);
    });
    EXPECT_EQ(finished->status, Status::kSucceeded);
  }
  EXPECT_EQ(EventsOf(request), "succeeded");
}

TEST_F(Payments, RowsOfOthersAreNotThere) {
  ASSERT_EQ(OutcomeOf(Pay(NewRequest())), "SUCCEEDED");
  postgres::Session session(database().Connection(), postgres::Plans::kDefault);
  static constexpr postgres::Statement kCount{
      "test_count", "SELECT (SELECT count(*) FROM payments) + (SELECT count(*) FROM payment_attempts)"};
  for (const char* tenant : {"stranger-2", "*"}) {
    const absl::Status read = session.Read({TenantId::Trusted(tenant)}, [&](postgres::Session& s) {
      EXPECT_EQ(s.Exec(kCount)[0][0].as<int>(), 0) << tenant;
      return absl::OkStatus();
    });
    EXPECT_TRUE(read.ok()) << read;
  }
}

}  // namespace
}  // namespace bv::payment
