// Each thing that a gateway can do wrong, and what becomes of the money.
#include "libs/base/strings.h"
#include "services/payment-adapter/tests/payment_fixture.h"

namespace bv::payment {
namespace {

// More than an attempt waits for, and less than the gateway may take.
constexpr char kLatency[] = R"("latencyMs":900)";

std::string Instruction(std::string_view fault, std::string_view operation, int times) {
  return Concat(R"({"gateway":"SOAP","fault":")", fault, R"(","operation":")", operation, R"(","times":)",
                times, ",", kLatency, "}");
}

class Faults : public PaymentTest, public ::testing::WithParamInterface<const char*> {
 protected:
  void ExpectChargedOnce(const pb::ProcessPaymentRequest& request, std::string_view gateway = "SOAP") {
    EXPECT_EQ(simulator().Read("SOAP").ChargesOf(OrderAtGateway(request)), gateway == "SOAP" ? 1 : 0);
    EXPECT_EQ(simulator().Read("REST").ChargesOf(OrderAtGateway(request)), gateway == "REST" ? 1 : 0);
    EXPECT_EQ(EventsOf(request), "succeeded");
  }
};

TEST_P(Faults, OneOfThemDuringTheCharge) {
  simulator().Tell(Instruction(GetParam(), "CHARGE", 1));
  const pb::ProcessPaymentRequest request = NewRequest();
  const absl::StatusOr<pb::Payment> paid = Pay(request);
  EXPECT_EQ(OutcomeOf(paid), "SUCCEEDED") << paid.status();
  // The order was looked up before anything else was asked.
  EXPECT_EQ(paid->attempts(0).operation(), "CHARGE");
  EXPECT_EQ(paid->attempts(1).operation(), "LOOKUP") << AttemptsOf(paid);
  ExpectChargedOnce(request);
}

TEST_P(Faults, AndOfTheLookUpToo) {
  simulator().Tell(Concat(R"({"gateway":"SOAP","fault":")", GetParam(), R"(","times":3,)", kLatency, "}"));
  const pb::ProcessPaymentRequest request = NewRequest();
  EXPECT_EQ(OutcomeOf(PayAtLast(request)), "SUCCEEDED");
  ExpectChargedOnce(request);
}

TEST_P(Faults, DuringTheRefund) {
  const pb::ProcessPaymentRequest request = NewRequest();
  ASSERT_EQ(OutcomeOf(Pay(request)), "SUCCEEDED");
  simulator().Tell(Instruction(GetParam(), "REFUND", 1));
  EXPECT_EQ(OutcomeOf(RefundAtLast(request.payment_id())), "REFUNDED");
  const Ledger ledger = simulator().Read("SOAP");
  EXPECT_EQ(ledger.ChargesOf(OrderAtGateway(request)), 1);
  EXPECT_EQ(ledger.RefundsOf(OrderAtGateway(request)), 1);
  EXPECT_EQ(EventsOf(request), "succeeded, refunded");
}

INSTANTIATE_TEST_SUITE_P(All, Faults,
                         ::testing::Values("SLOW", "LATE_ANSWER", "ERROR", "ERROR_AFTER", "HANG",
                                           "DROP_BEFORE", "DROP_AFTER", "FAULT", "FAULT_AFTER", "MALFORMED",
                                           "ENTITY_BOMB", "HUGE"),
                         [](const auto& tested) { return tested.param; });

class MoneyInDoubt : public Faults {};

TEST_F(MoneyInDoubt, AChargeThatWasNotAnsweredIsFoundByTheLookUp) {
  simulator().Tell(Instruction("DROP_AFTER", "CHARGE", 0));
  const pb::ProcessPaymentRequest request = NewRequest();
  const absl::StatusOr<pb::Payment> paid = Pay(request);
  EXPECT_EQ(AttemptsOf(paid), "CHARGE SOAP UNKNOWN, LOOKUP SOAP SUCCEEDED");
  ExpectChargedOnce(request);
}

TEST_F(MoneyInDoubt, AFaultIsAnAnswerSoTheLookUpDecidesAtOnce) {
  simulator().Tell(Instruction("FAULT", "CHARGE", 1));
  const absl::StatusOr<pb::Payment> paid = Pay(NewRequest());
  EXPECT_EQ(AttemptsOf(paid), "CHARGE SOAP FAULT, LOOKUP SOAP NOT_FOUND, CHARGE SOAP SUCCEEDED");
}

TEST_F(MoneyInDoubt, NoOtherGatewayHearsOfItBeforeTheLastChargeCanHaveLanded) {
  Replica::Settings settings = Defaults();
  settings.card.attempts_max = 1;
  Use(settings);
  // Never processed: the look-ups say so, but are not believed before the gateway's time is over.
  simulator().Tell(Instruction("HANG", "CHARGE", 0));
  const pb::ProcessPaymentRequest request = NewRequest();
  const absl::StatusOr<pb::Payment> paid = Pay(request);
  ASSERT_EQ(AttemptsOf(paid),
            "CHARGE SOAP UNKNOWN, LOOKUP SOAP NOT_FOUND, LOOKUP SOAP NOT_FOUND, CHARGE REST SUCCEEDED");
  const auto begun = [&](int attempt) {
    const auto& at = paid->attempts(attempt).started_at();
    return absl::FromUnixNanos(at.seconds() * 1'000'000'000 + at.nanos());
  };
  const absl::Duration least = settings.card.attempt_timeout + settings.processing_max;
  EXPECT_GE(begun(2) - begun(0), least);
  EXPECT_GE(begun(3) - begun(0), least);
  ExpectChargedOnce(request, "REST");
}

TEST_F(MoneyInDoubt, AChargeThatLandsAfterTheLookUpSaidNotFoundIsTheOnlyOne) {
  Replica::Settings settings = Defaults();
  settings.card.attempts_max = 1;
  Use(settings);
  simulator().Tell(R"({"gateway":"SOAP","fault":"SLOW","operation":"CHARGE","latencyMs":1900})");
  const pb::ProcessPaymentRequest request = NewRequest();
  EXPECT_EQ(OutcomeOf(Pay(request, absl::Milliseconds(800))), "PAYMENT_OUTCOME_UNKNOWN");
  const absl::StatusOr<pb::Payment> seen = Get(request.payment_id());
  EXPECT_EQ(OutcomeOf(seen), "PROCESSING");
  EXPECT_EQ(AttemptsOf(seen), "CHARGE SOAP UNKNOWN, LOOKUP SOAP NOT_FOUND");
  EXPECT_EQ(simulator().Read("SOAP").ChargesOf(OrderAtGateway(request)), 0);
  EXPECT_EQ(OutcomeOf(PayAtLast(request)), "SUCCEEDED");
  ExpectChargedOnce(request);
}

TEST_F(MoneyInDoubt, ADeclineAfterAnUnansweredChargeIsNotBelieved) {
  // The first request is carried out late and approved; the second one, in between, is declined.
  simulator().Tell(
      R"({"gateway":"SOAP","fault":"SLOW","operation":"CHARGE","times":1,"latencyMs":1900,"declineNext":1})");
  const pb::ProcessPaymentRequest request = NewRequest();
  const absl::StatusOr<pb::Payment> paid = Pay(request);
  EXPECT_EQ(OutcomeOf(paid), "SUCCEEDED");
  EXPECT_NE(AttemptsOf(paid).find("CHARGE SOAP DECLINED"), std::string::npos) << AttemptsOf(paid);
  ExpectChargedOnce(request);
}

TEST_F(MoneyInDoubt, ADeclineIsBelievedOnceNothingCanComeAnyMore) {
  simulator().Tell(
      R"({"gateway":"SOAP","fault":"DROP_BEFORE","operation":"CHARGE","times":1,"declineNext":9})");
  const pb::ProcessPaymentRequest request = NewRequest();
  const absl::StatusOr<pb::Payment> paid = Pay(request);
  EXPECT_EQ(OutcomeOf(paid), "FAILED") << AttemptsOf(paid);
  EXPECT_EQ(EventsOf(request), "failed");
  EXPECT_EQ(simulator().Read("SOAP").ChargesOf(OrderAtGateway(request)), 0);
}

TEST_F(MoneyInDoubt, AnotherPaymentOfTheOrderWaitsForTheFirst) {
  simulator().Tell(Instruction("HANG", "CHARGE", 0));
  const pb::ProcessPaymentRequest first = NewRequest();
  EXPECT_EQ(OutcomeOf(Pay(first, absl::Milliseconds(700))), "PAYMENT_OUTCOME_UNKNOWN");
  simulator().Reset();
  pb::ProcessPaymentRequest second = first;
  second.set_payment_id(PaymentId::New().str());
  EXPECT_EQ(OutcomeOf(Pay(second)), "PAYMENT_OUTCOME_UNKNOWN");
  EXPECT_EQ(OutcomeOf(PayAtLast(first)), "SUCCEEDED");
  EXPECT_EQ(OutcomeOf(Pay(second)), "ALREADY_PAID");
  ExpectChargedOnce(first);
}

TEST_F(MoneyInDoubt, AGatewayThatIsKilledForgetsNothing) {
  simulator().Tell(Instruction("DROP_AFTER", "CHARGE", 1));
  const pb::ProcessPaymentRequest request = NewRequest();
  // No time for the look-up.
  EXPECT_NE(OutcomeOf(Pay(request, absl::Milliseconds(25))), "FAILED");
  simulator().Restart();
  EXPECT_EQ(OutcomeOf(PayAtLast(request)), "SUCCEEDED");
  ExpectChargedOnce(request);
}

}  // namespace
}  // namespace bv::payment
