// Paying: by card, by confirmation of a bank transfer, and on delivery.
#include "libs/base/error.h"
#include "services/order/tests/lifecycle_fixture.h"

namespace bv::order {
namespace {

class PayTest : public LifecycleTest {};

TEST_F(PayTest, CommitsTheStockChargesAndIsPaid) {
  const OrderId id = Place();
  const Answer paid = Pay(id);
  ASSERT_TRUE(paid.ok()) << paid.status();
  EXPECT_EQ(paid->status(), pb::ORDER_STATUS_PAID);
  EXPECT_EQ(paid->payment_status(), pb::PAYMENT_STATUS_PAID);
  EXPECT_EQ(paid->version(), 2);
  EXPECT_FALSE(paid->has_hold_expires_at());
  EXPECT_EQ(StatesOf(id), "PAID PAID UNFULFILLED");
  EXPECT_EQ(StockOf(id), "COMMITTED");
  EXPECT_EQ(bank.kept(), 12950);
  EXPECT_EQ(Stored(id).payment_id.str(), bank.payments().at(0).payment_id());
  EXPECT_EQ(HistoryOf(id), "PENDING CREATED user-1, PAID PAID user-1");
  EXPECT_EQ(EventsOf(id), "paid status_changed");
  EXPECT_EQ(Processes(), "0");
}

TEST_F(PayTest, ADeclineKeepsTheHoldAndMayBeTriedAgain) {
  const OrderId id = Place();
  bank.Decline(true);
  const Answer declined = Pay(id);
  ASSERT_TRUE(declined.ok()) << declined.status();
  EXPECT_EQ(declined->payment_status(), pb::PAYMENT_STATUS_FAILED);
  EXPECT_TRUE(declined->has_hold_expires_at());
  EXPECT_EQ(StatesOf(id), "PENDING FAILED UNFULFILLED");
  EXPECT_EQ(StockOf(id), "HELD");
  bank.Decline(false);
  const Answer paid = Pay(id);
  ASSERT_TRUE(paid.ok()) << paid.status();
  EXPECT_EQ(StatesOf(id), "PAID PAID UNFULFILLED");
  EXPECT_EQ(bank.payments().size(), 2u) << "a payment for each try";
  EXPECT_EQ(bank.kept(), 12950);
  EXPECT_EQ(EventsOf(id), "status_changed paid status_changed");
}

TEST_F(PayTest, AHoldThatIsOverCancelsTheOrder) {
  const OrderId id = Place();
  stock.Set(id.str(), commerce::inventory::v1::RESERVATION_STATUS_EXPIRED);
  const absl::Status status = Pay(id).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ErrorReason(status), "HOLD_EXPIRED");
  EXPECT_EQ(StatesOf(id), "CANCELED PENDING UNFULFILLED");
  EXPECT_EQ(Stored(id).cancel_reason, "EXPIRED");
  EXPECT_EQ(HistoryOf(id), "PENDING CREATED user-1, CANCELED EXPIRED user-1");
  EXPECT_EQ(EventsOf(id), "canceled status_changed");
  EXPECT_EQ(bank.charges(), 0);
  EXPECT_EQ(ErrorReason(Pay(id).status()), "HOLD_EXPIRED") << "the same answer as before";
}

TEST_F(PayTest, WhatIsNotTheCallersIsNotFound) {
  const OrderId id = Place();
  EXPECT_EQ(ErrorReason(Pay(id, Customer("user-2")).status()), "ORDER_NOT_FOUND");
  EXPECT_EQ(ErrorReason(Pay(OrderId::New()).status()), "ORDER_NOT_FOUND");
  EXPECT_EQ(ErrorReason(Pay(OrderId::Trusted("nonsense")).status()), "ORDER_NOT_FOUND");
  EXPECT_EQ(ErrorReason(Pay(id, testing::ContextOf("globex", "staff-1", Role::kStaff)).status()),
            "ORDER_NOT_FOUND");
  EXPECT_EQ(ErrorReason(Pay(Place(PaymentMethod::kBankTransfer)).status()), "PAYMENT_METHOD");
  const OrderId paid = Paid();
  EXPECT_EQ(ErrorReason(Pay(paid).status()), "ORDER_STATE");
  EXPECT_EQ(bank.charges(), 1);
}

TEST_F(PayTest, CallsAtOncePayOnce) {
  const OrderId id = Place();
  bank.faults.Hold("ProcessPayment");
  std::vector<std::future<Answer>> answers;
  for (int i = 0; i < 32; ++i) answers.push_back(StartPay(id));
  bank.faults.AwaitCalls("ProcessPayment", 1);
  bank.faults.Release();
  for (std::future<Answer>& future : answers) {
    const Answer answer = future.get();
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_EQ(answer->status(), pb::ORDER_STATUS_PAID);
  }
  EXPECT_EQ(bank.charges(), 1);
  EXPECT_EQ(bank.faults.calls("ProcessPayment"), 1);
  EXPECT_EQ(HistoryOf(id), "PENDING CREATED user-1, PAID PAID user-1");
}

TEST_F(PayTest, ACallerWithoutTimeIsToldThatItIsNotSettled) {
  const OrderId id = Place();
  bank.faults.Hold("ProcessPayment");
  RequestContext context = Customer();
  context.deadline = absl::Now() + absl::Milliseconds(600);
  const absl::Status status = Pay(id, context).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ErrorReason(status), "PAYMENT_PENDING");
  EXPECT_LT(absl::Now(), context.deadline) << "in time to be heard";
  EXPECT_EQ(ErrorReason(Cancel(id).status()), "ORDER_BUSY");
  bank.faults.Release();
  const Answer paid = Pay(id);
  ASSERT_TRUE(paid.ok()) << paid.status() << ": the call joins the payment that is under way";
  EXPECT_EQ(bank.charges(), 1);
}

TEST_F(PayTest, TheSameKeyIsTheSamePayment) {
  const OrderId id = Place();
  bank.Decline(true);
  ASSERT_TRUE(Pay(id, Customer("user-1", "key")).ok());
  EXPECT_FALSE(replayed());
  bank.Decline(false);
  const Answer again = Pay(id, Customer("user-1", "key"));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(replayed());
  EXPECT_EQ(again->payment_status(), pb::PAYMENT_STATUS_FAILED) << "not tried again";
  EXPECT_EQ(ErrorReason(Pay(Place(), Customer("user-1", "key")).status()), "IDEMPOTENCY_KEY_REUSED");
  EXPECT_EQ(ErrorReason(Cancel(id, Customer("user-1", "key")).status()), "IDEMPOTENCY_KEY_REUSED");
  ASSERT_TRUE(Pay(id, Customer("user-1", "another")).ok());
  EXPECT_EQ(StatesOf(id), "PAID PAID UNFULFILLED");
  const Answer paid_again = Pay(id, Customer("user-1", "another"));
  ASSERT_TRUE(paid_again.ok()) << paid_again.status() << ": without the key it would be refused";
  EXPECT_TRUE(replayed());
}

TEST_F(PayTest, ARefusedRequestLeavesItsKeyFree) {
  const OrderId id = Place();
  EXPECT_EQ(ErrorReason(Fulfill(id, {}, Staff("key")).status()), "ORDER_STATE");
  const OrderId other = Place();
  ASSERT_TRUE(Cancel(other, Staff("key")).ok());
}

TEST_F(PayTest, AThousandRepeatsOfOneKeyAreOnePayment) {
  const OrderId id = Place();
  std::vector<std::future<Answer>> answers;
  for (int i = 0; i < 1000; ++i) answers.push_back(StartPay(id, Customer("user-1", "key")));
  for (std::future<Answer>& future : answers) {
    const Answer answer = future.get();
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_EQ(answer->status(), pb::ORDER_STATUS_PAID);
  }
  EXPECT_EQ(bank.charges(), 1);
}

TEST_F(PayTest, WhatCostsNothingNeedsNoPayment) {
  const OrderId id = Place();
  Query("UPDATE orders.orders SET total_amount = 0 WHERE tenant_id = $T");
  const Answer paid = Pay(id);
  ASSERT_TRUE(paid.ok()) << paid.status();
  EXPECT_EQ(StatesOf(id), "PAID PAID UNFULFILLED");
  EXPECT_EQ(bank.faults.calls("ProcessPayment"), 0);
}

// --- Bank transfer and cash on delivery.

TEST_F(PayTest, ABankTransferIsPaidWhenItIsConfirmed) {
  const OrderId id = Place(PaymentMethod::kBankTransfer);
  EXPECT_EQ(ErrorReason(Confirm(id, 12949).status()), "AMOUNT_MISMATCH");
  const Answer paid = Confirm(id);
  ASSERT_TRUE(paid.ok()) << paid.status();
  EXPECT_EQ(StatesOf(id), "PAID PAID UNFULFILLED");
  EXPECT_EQ(StockOf(id), "COMMITTED");
  EXPECT_EQ(bank.kept(), 12950);
  EXPECT_EQ(bank.payments().at(0).reference(), "statement 7");
  EXPECT_EQ(HistoryOf(id), "PENDING CREATED user-1, PAID PAID staff-1");
  EXPECT_EQ(ErrorReason(Confirm(Place()).status()), "PAYMENT_METHOD")
      << "a card order is paid by its customer";
}

TEST_F(PayTest, ATransferThatComesTooLateFindsTheOrderCanceled) {
  const OrderId id = Place(PaymentMethod::kBankTransfer);
  stock.Set(id.str(), commerce::inventory::v1::RESERVATION_STATUS_EXPIRED);
  EXPECT_EQ(ErrorReason(Confirm(id).status()), "HOLD_EXPIRED");
  EXPECT_EQ(StatesOf(id), "CANCELED PENDING UNFULFILLED");
  EXPECT_EQ(bank.kept(), 0);
}

TEST_F(PayTest, CashOnDeliveryIsCommittedAtOnceAndPaidAtTheDoor) {
  const OrderId id = Place(PaymentMethod::kCashOnDelivery);
  EXPECT_EQ(Processes(), "1") << "stored with the order";
  Recover();
  EXPECT_EQ(StockOf(id), "COMMITTED");
  EXPECT_FALSE(Stored(id).hold_expires_at);
  EXPECT_EQ(HistoryOf(id), "PENDING CREATED user-1, PENDING STOCK_COMMITTED user-1");
  EXPECT_EQ(EventsOf(id), "status_changed")
      << "also of what leaves the three states, so that versions have no gaps";
  const Answer shipped = Fulfill(id);
  ASSERT_TRUE(shipped.ok()) << shipped.status();
  EXPECT_EQ(StatesOf(id), "PENDING DUE_ON_DELIVERY SHIPPED");
  stock.Set(id.str(), commerce::inventory::v1::RESERVATION_STATUS_SHIPPED);
  const Answer paid = Confirm(id);
  ASSERT_TRUE(paid.ok()) << paid.status();
  EXPECT_EQ(StatesOf(id), "FULFILLED PAID SHIPPED");
  EXPECT_EQ(EventsOf(id), "status_changed status_changed paid fulfilled status_changed");
}

TEST_F(PayTest, WhatIsAskedForMeanwhileWaitsForTheCommit) {
  const OrderId id = Place(PaymentMethod::kCashOnDelivery);
  stock.faults.Hold("CommitStock");
  std::future<Answer> shipping = StartFulfill(id, {}, Staff("key"));
  stock.faults.AwaitCalls("CommitStock", 1);
  stock.faults.Release();
  const Answer shipped = shipping.get();
  ASSERT_TRUE(shipped.ok()) << shipped.status();
  EXPECT_FALSE(replayed());
  EXPECT_EQ(StatesOf(id), "PENDING DUE_ON_DELIVERY SHIPPED");
}

TEST_F(PayTest, CashOnDeliveryWithoutStockIsCanceled) {
  const OrderId id = Place(PaymentMethod::kCashOnDelivery);
  stock.Set(id.str(), commerce::inventory::v1::RESERVATION_STATUS_RELEASED);
  Recover();
  EXPECT_EQ(StatesOf(id), "CANCELED DUE_ON_DELIVERY UNFULFILLED");
  EXPECT_EQ(Stored(id).cancel_reason, "EXPIRED");
}

}  // namespace
}  // namespace bv::order
