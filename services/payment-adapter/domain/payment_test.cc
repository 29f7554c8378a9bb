#include "services/payment-adapter/domain/payment.h"

#include <gtest/gtest.h>

#include "libs/base/error.h"
#include "services/payment-adapter/domain/words.h"

namespace bv::payment {
namespace {

const absl::Time kNow = absl::UnixEpoch();
const absl::Time kOver = kNow + absl::Seconds(23);

Payment Processing() {
  return {.id = PaymentId::New(),
          .order = OrderId::New(),
          .money = {12950, Currency::Trusted("USD")},
          .status = Status::kProcessing};
}
Payment InDoubt(absl::Time until = kOver) {
  return Begun(Processing(), Operation::kCharge, GatewayName::kSoap, until);
}
Payment Refunding() {
  Payment payment = Processing();
  payment.status = Status::kRefunding;
  payment.gateway = GatewayName::kRest;
  payment.reference = "t1";
  return payment;
}
Attempt AttemptOf(Operation operation, absl::Time at = kNow, GatewayName gateway = GatewayName::kSoap) {
  return {.number = 1, .gateway = gateway, .operation = operation, .started_at = at};
}
Payment Charged(const Payment& before, Outcome outcome, std::string detail = "") {
  return AfterCharge(before, AttemptOf(Operation::kCharge), kOver,
                     {.outcome = outcome, .reference = "t1", .detail = std::move(detail)});
}
Payment LookedUp(const Payment& before, Outcome outcome, absl::Time at, bool refunded = false) {
  return AfterLookUp(before, AttemptOf(Operation::kLookUp, at),
                     {.outcome = outcome, .refunded = refunded, .reference = "t1"});
}
Payment Returned(const Payment& before, Outcome outcome) {
  return AfterRefund(before, AttemptOf(Operation::kRefund, kNow, GatewayName::kRest), kOver,
                     {.outcome = outcome});
}

TEST(PaymentRules, ARequestForMoneyIsInDoubtFromTheStart) {
  const Payment begun = InDoubt();
  EXPECT_EQ(begun.gateway, GatewayName::kSoap);
  EXPECT_EQ(begun.in_doubt_until, kOver);
  // A second request never shortens the doubt about the first.
  EXPECT_EQ(Begun(begun, Operation::kCharge, GatewayName::kSoap, kNow).in_doubt_until, kOver);
  EXPECT_FALSE(Begun(Processing(), Operation::kLookUp, GatewayName::kSoap, kOver).in_doubt());
}

TEST(PaymentRules, AnAnswerEndsTheDoubt) {
  const Payment approved = Charged(Processing(), Outcome::kSucceeded);
  EXPECT_EQ(approved.status, Status::kSucceeded);
  EXPECT_EQ(approved.reference, "t1");
  EXPECT_FALSE(approved.in_doubt());
  const Payment declined = Charged(Processing(), Outcome::kDeclined, "INSUFFICIENT_FUNDS");
  EXPECT_EQ(declined.status, Status::kFailed);
  EXPECT_EQ(declined.failure_reason, "INSUFFICIENT_FUNDS");
  EXPECT_FALSE(declined.in_doubt());
  const Payment refused = Charged(Processing(), Outcome::kRefused);
  EXPECT_EQ(refused.status, Status::kProcessing);
  EXPECT_FALSE(refused.in_doubt());
  EXPECT_EQ(refused.gateway, GatewayName::kNone);
}

TEST(PaymentRules, NoAnswerLeavesTheDoubt) {
  EXPECT_EQ(Charged(Processing(), Outcome::kUnknown).in_doubt_until, kOver);
  // A fault is an answer: what it did shows at once.
  EXPECT_EQ(Charged(Processing(), Outcome::kFault).in_doubt_until, kNow);
  EXPECT_EQ(Charged(InDoubt(), Outcome::kFault).in_doubt_until, kOver);
  EXPECT_EQ(Charged(InDoubt(), Outcome::kRefused).in_doubt_until, kOver);
}

TEST(PaymentRules, ADeclineIsNotFinalWhileAnEarlierRequestMayStillBeCarriedOut) {
  const Payment declined = Charged(InDoubt(), Outcome::kDeclined, "DECLINED");
  EXPECT_EQ(declined.status, Status::kProcessing);
  EXPECT_EQ(declined.in_doubt_until, kOver);
  EXPECT_EQ(LookedUp(declined, Outcome::kSucceeded, kNow).status, Status::kSucceeded);
  EXPECT_EQ(LookedUp(declined, Outcome::kNotFound, kNow).status, Status::kProcessing);
  const Payment failed = LookedUp(declined, Outcome::kNotFound, kOver);
  EXPECT_EQ(failed.status, Status::kFailed);
  EXPECT_EQ(failed.failure_reason, "DECLINED");
}

TEST(PaymentRules, NotFoundIsFinalOnlyWhenNothingCanComeAnyMore) {
  const Payment early = LookedUp(InDoubt(), Outcome::kNotFound, kOver - absl::Microseconds(1));
  EXPECT_TRUE(early.in_doubt());
  EXPECT_EQ(early.gateway, GatewayName::kSoap);
  const Payment late = LookedUp(InDoubt(), Outcome::kNotFound, kOver);
  EXPECT_FALSE(late.in_doubt());
  EXPECT_EQ(late.gateway, GatewayName::kNone);
  EXPECT_EQ(late.status, Status::kProcessing);
  for (const Outcome nothing : {Outcome::kUnknown, Outcome::kFault, Outcome::kRefused})
    EXPECT_TRUE(LookedUp(InDoubt(), nothing, kOver).in_doubt());
}

TEST(PaymentRules, AChargeThatSomebodyElseGaveBackIsNoPayment) {
  EXPECT_EQ(LookedUp(InDoubt(), Outcome::kSucceeded, kNow, true).status, Status::kFailed);
}

TEST(PaymentRules, Refunds) {
  EXPECT_EQ(Returned(Refunding(), Outcome::kSucceeded).status, Status::kRefunded);
  EXPECT_TRUE(Returned(Refunding(), Outcome::kUnknown).in_doubt());
  EXPECT_FALSE(Returned(Refunding(), Outcome::kRefused).in_doubt());
  const Payment in_doubt = Returned(Refunding(), Outcome::kFault);
  EXPECT_EQ(LookedUp(in_doubt, Outcome::kSucceeded, kNow, true).status, Status::kRefunded);
  EXPECT_EQ(LookedUp(in_doubt, Outcome::kSucceeded, kOver, false).status, Status::kRefunding);
  EXPECT_EQ(LookedUp(in_doubt, Outcome::kNotFound, kOver).status, Status::kRefunding);
}

TEST(PaymentRules, Checks) {
  Payment pending = Processing();
  pending.method = Method::kBankTransfer;
  pending.status = Status::kPending;
  EXPECT_TRUE(CheckConfirm(pending, pending.money, "r").ok());
  EXPECT_EQ(ErrorReason(CheckConfirm(pending, {1, pending.money.currency}, "r")), "AMOUNT_MISMATCH");
  EXPECT_EQ(ErrorReason(CheckRefund(pending)), "PAYMENT_STATE");
  Payment confirmed = pending;
  confirmed.status = Status::kSucceeded;
  confirmed.reference = "r";
  EXPECT_TRUE(CheckConfirm(confirmed, confirmed.money, "r").ok());
  EXPECT_EQ(ErrorReason(CheckConfirm(confirmed, confirmed.money, "other")), "PAYMENT_STATE");
  EXPECT_TRUE(CheckRefund(confirmed).ok());
  EXPECT_EQ(ErrorReason(CheckConfirm(Processing(), Processing().money, "r")), "PAYMENT_STATE");
  Payment other = pending;
  other.money.minor_units += 1;
  EXPECT_TRUE(CheckSame(pending, pending).ok());
  EXPECT_EQ(ErrorReason(CheckSame(pending, other)), "PAYMENT_MISMATCH");
}

TEST(PaymentWords, AreTheirOwnInverse) {
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(StatusOf(Word(static_cast<Status>(i))), static_cast<Status>(i));
    EXPECT_EQ(OutcomeOf(Word(static_cast<Outcome>(i))), static_cast<Outcome>(i));
  }
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(MethodOf(Word(static_cast<Method>(i))), static_cast<Method>(i));
    EXPECT_EQ(GatewayOf(Word(static_cast<GatewayName>(i))), static_cast<GatewayName>(i));
    EXPECT_EQ(OperationOf(Word(static_cast<Operation>(i))), static_cast<Operation>(i));
  }
}

}  // namespace
}  // namespace bv::payment
