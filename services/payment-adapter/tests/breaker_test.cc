// The circuit breaker's three states, and the way round.
#include "libs/base/strings.h"
#include "services/payment-adapter/tests/payment_fixture.h"

namespace bv::payment {
namespace {

class Breaker : public PaymentTest {
 protected:
  void SetUp() override {
    PaymentTest::SetUp();
    Replica::Settings settings = Defaults();
    settings.breaker.calls_min = 4;
    Use(settings);
  }
  // 0 closed, 1 half open, 2 open.
  static double StateOf(const std::string& gateway) {
    return telemetry::Gauge("payment_gateway_breaker_state", "0 closed, 1 half open, 2 open.",
                            {{"gateway", gateway}})
        .Value();
  }
  // A payment whose requests open the breaker of SOAP; it stays in doubt there.
  pb::ProcessPaymentRequest OpenBreaker() {
    simulator().Tell(R"({"gateway":"SOAP","fault":"ERROR"})");
    const pb::ProcessPaymentRequest request = NewRequest();
    EXPECT_EQ(OutcomeOf(Pay(request)), "PAYMENT_OUTCOME_UNKNOWN");
    EXPECT_EQ(StateOf("SOAP"), 2);
    return request;
  }
  void WaitUntilProbesMayPass() {
    const absl::Time deadline = absl::Now() + absl::Seconds(10);
    while (replica().soap.ClosedFor() > absl::ZeroDuration() && absl::Now() < deadline) {
    }
  }
};

TEST_F(Breaker, OpensFallsBackAndClosesAgain) {
  EXPECT_EQ(StateOf("SOAP"), 0);
  const pb::ProcessPaymentRequest in_doubt = OpenBreaker();
  // Nothing of this one has been anywhere: it takes the other way at once.
  const pb::ProcessPaymentRequest other = NewRequest();
  EXPECT_EQ(AttemptsOf(Pay(other)), "CHARGE REST SUCCEEDED");
  // The first one does not, although the other gateway works.
  EXPECT_EQ(OutcomeOf(Pay(in_doubt)), "PAYMENT_OUTCOME_UNKNOWN");
  EXPECT_EQ(simulator().Read("REST").ChargesOf(OrderAtGateway(in_doubt)), 0);
  // Its look-up is the probe that finds out that the gateway is back.
  simulator().Reset();
  WaitUntilProbesMayPass();
  const absl::StatusOr<pb::Payment> paid = Pay(in_doubt);
  EXPECT_EQ(OutcomeOf(paid), "SUCCEEDED") << paid.status();
  EXPECT_EQ(StateOf("SOAP"), 0);
  EXPECT_EQ(simulator().Read("SOAP").ChargesOf(OrderAtGateway(in_doubt)), 1);
  EXPECT_EQ(simulator().Read("SOAP").ChargesOf(OrderAtGateway(other)), 0);
  EXPECT_EQ(simulator().Read("REST").ChargesOf(OrderAtGateway(other)), 1);
  // A refund goes where the money is.
  EXPECT_EQ(AttemptsOf(Refund(other.payment_id())), "CHARGE REST SUCCEEDED, REFUND REST SUCCEEDED");
}

TEST_F(Breaker, AProbeThatFailsOpensItAgain) {
  const pb::ProcessPaymentRequest in_doubt = OpenBreaker();
  WaitUntilProbesMayPass();
  EXPECT_EQ(OutcomeOf(Pay(in_doubt)), "PAYMENT_OUTCOME_UNKNOWN");
  EXPECT_EQ(StateOf("SOAP"), 2);
  EXPECT_EQ(OutcomeOf(Get(in_doubt.payment_id())), "PROCESSING");
}

TEST_F(Breaker, IsHalfOpenWhileItsProbesRun) {
  const pb::ProcessPaymentRequest in_doubt = OpenBreaker();
  simulator().Reset();
  WaitUntilProbesMayPass();
  const std::optional<GuardedGateway::Permit> probe = replica().soap.Admit();
  ASSERT_TRUE(probe);
  EXPECT_EQ(StateOf("SOAP"), 1);
  const std::optional<GuardedGateway::Permit> second = replica().soap.Admit();
  EXPECT_TRUE(second);
  EXPECT_FALSE(replica().soap.Admit());
}

TEST_F(Breaker, DeclinesAreTheWorkOfAGateway) {
  simulator().Tell(R"({"gateway":"SOAP","declineNext":20})");
  for (int i = 0; i < 10; ++i) EXPECT_EQ(OutcomeOf(Pay(NewRequest())), "FAILED");
  EXPECT_EQ(StateOf("SOAP"), 0);
}

TEST_F(Breaker, AGatewayThatIsNotThereIsPassedBy) {
  Replica::Settings settings = Defaults();
  settings.soap.port = std::to_string(FreePort());
  Use(settings);
  const absl::StatusOr<pb::Payment> paid = Pay(NewRequest());
  EXPECT_EQ(AttemptsOf(paid),
            "CHARGE SOAP REFUSED, CHARGE SOAP REFUSED, CHARGE SOAP REFUSED, CHARGE SOAP REFUSED, CHARGE SOAP "
            "REFUSED, "
            "CHARGE REST SUCCEEDED");
}

TEST_F(Breaker, WithoutAnyGatewayNothingHasHappened) {
  Replica::Settings settings = Defaults();
  settings.soap.port = std::to_string(FreePort());
  settings.rest.port = std::to_string(FreePort());
  Use(settings);
  const pb::ProcessPaymentRequest request = NewRequest();
  const absl::StatusOr<pb::Payment> nobody = Pay(request);
  EXPECT_EQ(OutcomeOf(nobody), "GATEWAYS_UNAVAILABLE");
  EXPECT_TRUE(GetErrorDetail(nobody.status()).retry_after);
  Use(Defaults());
  EXPECT_EQ(OutcomeOf(Pay(request)), "SUCCEEDED");
}

}  // namespace
}  // namespace bv::payment
