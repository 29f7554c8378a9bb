// Many calls at once, over two replicas; calls that die.
#include <set>

#include "libs/base/strings.h"
#include "services/payment-adapter/tests/dying_gateway.h"
#include "services/payment-adapter/tests/payment_fixture.h"

namespace bv::payment {
namespace {

class Concurrency : public PaymentTest {
 protected:
  Replica& Choose(int i) { return i % 2 == 0 ? replica() : other_; }

  Replica other_{database(), Defaults()};
};

TEST_F(Concurrency, OneOfManyCallsDrivesAndAllGetItsAnswer) {
  simulator().Tell(R"({"gateway":"SOAP","fault":"LATE_ANSWER","latencyMs":100})");
  const pb::ProcessPaymentRequest request = NewRequest();
  const auto answers = AtOnce(40, [&](int i) { return Pay(request, absl::Seconds(10), &Choose(i)); });
  for (const absl::StatusOr<pb::Payment>& answer : answers) {
    EXPECT_EQ(OutcomeOf(answer), "SUCCEEDED") << answer.status();
    EXPECT_EQ(AttemptsOf(answer), "CHARGE SOAP SUCCEEDED");
  }
  EXPECT_EQ(simulator().Read("SOAP").ChargesOf(OrderAtGateway(request)), 1);
  EXPECT_EQ(EventsOf(request), "succeeded");
}

TEST_F(Concurrency, ManyPaymentsOfOneOrderAreOneCharge) {
  const pb::ProcessPaymentRequest request = NewRequest();
  const auto answers = AtOnce(20, [&](int i) {
    pb::ProcessPaymentRequest own = request;
    own.set_payment_id(PaymentId::New().str());
    return OutcomeOf(PayAtLast(own, &Choose(i)));
  });
  EXPECT_EQ(std::ranges::count(answers, "SUCCEEDED"), 1);
  EXPECT_EQ(std::ranges::count(answers, "ALREADY_PAID"), 19);
  EXPECT_EQ(simulator().Read("SOAP").ChargesOf(OrderAtGateway(request)), 1);
  EXPECT_EQ(EventsOf(request), "succeeded");
}

TEST_F(Concurrency, ManyRefundsAreOne) {
  const pb::ProcessPaymentRequest request = NewRequest();
  ASSERT_EQ(OutcomeOf(Pay(request)), "SUCCEEDED");
  const auto answers = AtOnce(
      20, [&](int i) { return OutcomeOf(Refund(request.payment_id(), absl::Seconds(10), &Choose(i))); });
  EXPECT_EQ(std::ranges::count(answers, "REFUNDED"), 20);
  EXPECT_EQ(simulator().Read("SOAP").RefundsOf(OrderAtGateway(request)), 1);
  EXPECT_EQ(EventsOf(request), "succeeded, refunded");
}

TEST_F(Concurrency, ACallThatDiesAfterSendingIsTakenOver) {
  Replica::Settings settings = Defaults();
  settings.wrap = [](std::unique_ptr<Gateway> gateway) -> std::unique_ptr<Gateway> {
    return std::make_unique<DyingGateway>(std::move(gateway), [](const GatewayRequest&) { return true; });
  };
  Replica dying(database(), settings);
  const pb::ProcessPaymentRequest request = NewRequest();
  EXPECT_THROW(Pay(request, absl::Seconds(10), &dying).IgnoreError(), Death);
  EXPECT_EQ(simulator().Read("SOAP").ChargesOf(OrderAtGateway(request)), 1);
  const absl::StatusOr<pb::Payment> left = Get(request.payment_id());
  EXPECT_EQ(OutcomeOf(left), "PROCESSING");
  EXPECT_EQ(AttemptsOf(left), "CHARGE SOAP UNKNOWN");
  // The other waits until the lease has run out, looks, and finds the charge.
  const absl::StatusOr<pb::Payment> paid = Pay(request, absl::Seconds(10), &other_);
  EXPECT_EQ(AttemptsOf(paid), "CHARGE SOAP UNKNOWN, LOOKUP SOAP SUCCEEDED");
  EXPECT_EQ(simulator().Read("SOAP").ChargesOf(OrderAtGateway(request)), 1);
  EXPECT_EQ(simulator().Read("REST").ChargesOf(OrderAtGateway(request)), 0);
}

TEST_F(Concurrency, ACallThatHasLostItsLeaseWritesNothing) {
  const Payment asked = *FromProto(NewRequest());
  const TenantId tenant = TenantId::Trusted(this->tenant());
  postgres::Session session(database().Connection(), postgres::Plans::kDefault);
  const auto transact = [&](auto work) {
    const absl::Status done =
        session.Transact({tenant}, [&](postgres::Session& s) { return work(s).status(); });
    return done;
  };
  const Lease stale{.holder = "stale", .time = absl::ZeroDuration()};
  const Lease fresh{.holder = "fresh", .time = absl::Seconds(30)};
  absl::StatusOr<BegunAttempt> begun;
  absl::StatusOr<Claim> claim;
  ASSERT_TRUE(transact([&](auto& s) { return OpenPayment(s, tenant, asked, stale); }).ok());
  ASSERT_TRUE(transact([&](auto& s) {
                return begun = BeginAttempt(s, tenant, asked.id, Operation::kCharge, GatewayName::kSoap,
                                            absl::Seconds(1), stale);
              }).ok());
  ASSERT_TRUE(transact([&](auto& s) { return claim = ClaimPayment(s, tenant, asked.id, fresh); }).ok());
  EXPECT_TRUE(claim->is_ours);
  EXPECT_TRUE(claim->payment.in_doubt());
  absl::StatusOr<Payment> finished;
  ASSERT_TRUE(transact([&](auto& s) {
                return finished = FinishAttempt(s, Context(), *begun, {.outcome = Outcome::kRefused}, stale);
              }).ok());
  // REFUSED would have ended the doubt, and the new holder may have sent something meanwhile.
  EXPECT_TRUE(finished->in_doubt());
  EXPECT_TRUE(IsLeaseLost(transact([&](auto& s) {
    return BeginAttempt(s, tenant, asked.id, Operation::kCharge, GatewayName::kSoap, absl::Seconds(1), stale);
  })));
}

}  // namespace
}  // namespace bv::payment
