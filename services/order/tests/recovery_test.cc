// What a crash, a restart or an outage leaves is finished, once.
#include "libs/base/error.h"
#include "libs/base/strings.h"
#include "libs/service/job.h"
#include "services/order/processes/recoverer.h"
#include "services/order/tests/lifecycle_fixture.h"

namespace bv::order {
namespace {

class RecoveryTest : public LifecycleTest {
 protected:
  // Of a caller who does not wait for long.
  static RequestContext Brief(RequestContext context) {
    context.deadline = absl::Now() + absl::Milliseconds(500);
    return context;
  }
};

TEST_F(RecoveryTest, APaymentThatWasOnlyBegun) {
  const OrderId id = Place();
  BeginOnly(ProcessKind::kPay, id);
  Restart();
  Recover();
  EXPECT_EQ(StatesOf(id), "PAID PAID UNFULFILLED");
  EXPECT_EQ(bank.charges(), 1);
  EXPECT_EQ(HistoryOf(id), "PENDING CREATED user-1, PAID PAID staff-1");
}

TEST_F(RecoveryTest, APaymentAtEachOfItsCalls) {
  for (const char* method : {"CommitStock", "ProcessPayment"}) {
    SCOPED_TRACE(method);
    const OrderId id = Place();
    Faults& faults = std::string_view(method) == "CommitStock" ? stock.faults : bank.faults;
    faults.Hold(method);
    const int before = faults.calls(method);
    std::future<Answer> answer = StartPay(id, Brief(Customer()));
    faults.AwaitCalls(method, before + 1);
    Restart();
    faults.Release();
    EXPECT_EQ(ErrorReason(answer.get().status()), "PAYMENT_PENDING");
    Recover();
    EXPECT_EQ(StatesOf(id), "PAID PAID UNFULFILLED");
    EXPECT_EQ(EventsOf(id), "paid status_changed");
  }
  EXPECT_EQ(bank.kept(), 2 * 12950);
  EXPECT_EQ(bank.charges(), 2);
}

TEST_F(RecoveryTest, ADeclineThatWasNotStored) {
  const OrderId id = Place();
  bank.Decline(true);
  stock.faults.Break("UncommitStock", 1);
  EXPECT_FALSE(Pay(id, Brief(Customer())).ok());
  EXPECT_EQ(StockOf(id), "COMMITTED");
  Restart();
  Recover();
  EXPECT_EQ(StatesOf(id), "PENDING FAILED UNFULFILLED");
  EXPECT_EQ(StockOf(id), "HELD");
  EXPECT_EQ(bank.payments().size(), 1u);
}

TEST_F(RecoveryTest, AnswersThatAreLost) {
  const OrderId id = Place();
  stock.faults.LoseAnswer("CommitStock");
  EXPECT_EQ(ErrorReason(Pay(id, Brief(Customer())).status()), "PAYMENT_PENDING");
  bank.faults.LoseAnswer("ProcessPayment");
  Query("UPDATE orders.order_process SET next_at = now() WHERE tenant_id = $T");
  Recover();
  EXPECT_EQ(StatesOf(id), "PAID PAID UNFULFILLED");
  EXPECT_EQ(bank.charges(), 1);
}

TEST_F(RecoveryTest, ACallThatJoinsAfterTheOutageIsOver) {
  const OrderId id = Place();
  bank.faults.Break("ProcessPayment", 1);
  Recoverer recoverer(*pool_, *processes_);
  service::Job recovering(loop_.io(), "recovery", absl::Milliseconds(20),
                          [&](std::stop_token stop) { return recoverer.Round(stop); });
  recovering.Start();
  const Answer paid = Pay(id);
  ASSERT_TRUE(paid.ok()) << paid.status() << ": the recoverer has finished it while the call waited";
  recovering.Stop();
  EXPECT_EQ(bank.charges(), 1);
}

TEST_F(RecoveryTest, ACallOfAnotherReplicaJoins) {
  const OrderId id = Place();
  bank.faults.Hold("ProcessPayment");
  std::future<Answer> first = StartPay(id);
  bank.faults.AwaitCalls("ProcessPayment", 1);
  order::Processes elsewhere(loop_.io(), *pool_, *changes_, *steps_, *tokens_, absl::Seconds(15));
  BeginProcess begin{.process = NewProcess(ProcessKind::kPay, id, Customer())};
  begin.process.payment = PaymentId::New();
  const RequestContext context = Customer();
  std::future<absl::StatusOr<order::Processes::Outcome>> second =
      boost::asio::co_spawn(loop_.io(), elsewhere.Run(begin, context), boost::asio::use_future);
  bank.faults.Release();
  ASSERT_TRUE(first.get().ok());
  const absl::StatusOr<order::Processes::Outcome> joined = second.get();
  ASSERT_TRUE(joined.ok()) << joined.status();
  EXPECT_EQ(joined->order.status, Status::kPaid);
  EXPECT_EQ(bank.charges(), 1);
}

// A replica that was so slow that its lease has passed: both go through all of it.
TEST_F(RecoveryTest, TwoDriversOfOneProcessChargeOnce) {
  const OrderId id = Place();
  bank.faults.Hold("ProcessPayment");
  std::future<Answer> first = StartPay(id);
  bank.faults.AwaitCalls("ProcessPayment", 1);
  Query("UPDATE orders.order_process SET next_at = now() WHERE tenant_id = $T");
  order::Processes elsewhere(loop_.io(), *pool_, *changes_, *steps_, *tokens_, absl::Seconds(15));
  Recoverer recoverer(*pool_, elsewhere);
  EXPECT_EQ(*loop_.Run(recoverer.Recover()), 1);
  bank.faults.AwaitCalls("ProcessPayment", 2);
  bank.faults.Release();
  ASSERT_TRUE(first.get().ok());
  elsewhere.Stop(absl::InfiniteFuture());
  EXPECT_EQ(bank.charges(), 1);
  EXPECT_EQ(HistoryOf(id), "PENDING CREATED user-1, PAID PAID user-1");
  EXPECT_EQ(EventsOf(id), "paid status_changed");
}

TEST_F(RecoveryTest, ATakenProcessIsTakenByOne) {
  for (int i = 0; i < 5; ++i) BeginOnly(ProcessKind::kCancel, Place(), "BACK_OFFICE");
  Query("UPDATE orders.order_process SET next_at = now() WHERE tenant_id = $T");
  stock.faults.Hold("ReleaseStock");
  Recoverer recoverer(*pool_, *processes_);
  EXPECT_EQ(*loop_.Run(recoverer.Recover()), 5);
  EXPECT_EQ(*loop_.Run(recoverer.Recover()), 0) << "they are driven";
  EXPECT_EQ(
      Query("SELECT min(attempts) || ' ' || max(attempts) FROM orders.order_process WHERE tenant_id = $T"),
      "1 1");
  stock.faults.Release();
  processes_->Stop(absl::InfiniteFuture());
  EXPECT_EQ(Processes(), "0");
}

TEST_F(RecoveryTest, WhatFailsIsTriedAgainLaterAndSaysWhy) {
  const OrderId id = Place();
  bank.faults.Break("ProcessPayment", 100);
  EXPECT_FALSE(Pay(id, Brief(Customer())).ok());
  EXPECT_EQ(Query("SELECT next_at < created_at + interval '10 s' AND last_error LIKE '%broken%' "
                  "FROM orders.order_process WHERE tenant_id = $T"),
            "t");
  bank.faults.Break("ProcessPayment", 0);
  Recover();
  EXPECT_EQ(StatesOf(id), "PAID PAID UNFULFILLED");
}

TEST_F(RecoveryTest, TheStockOfAPaymentWithoutAnOutcomeIsGone) {
  // Somebody gave the stock away while the charge was not known to have been made.
  const OrderId id = Place();
  bank.faults.LoseAnswer("ProcessPayment");
  EXPECT_FALSE(Pay(id, Brief(Customer())).ok());
  EXPECT_EQ(bank.kept(), 12950);
  stock.Set(id.str(), commerce::inventory::v1::RESERVATION_STATUS_RELEASED);
  Recover();
  EXPECT_EQ(bank.kept(), 0) << "never paid without stock";
  EXPECT_EQ(StatesOf(id), "CANCELED REFUNDED UNFULFILLED");
  EXPECT_EQ(HistoryOf(id), "PENDING CREATED user-1, CANCELED EXPIRED user-1, CANCELED REFUNDED user-1");
}

TEST_F(RecoveryTest, AnOrderThatAnotherPaymentHasPaid) {
  const OrderId id = Place();
  Bank::Payment earlier;
  earlier.set_payment_id("pay_earlier");
  earlier.set_order_id(id.str());
  earlier.set_amount(12950);
  earlier.set_status(commerce::payment::v1::PAYMENT_STATUS_SUCCEEDED);
  bank.Put(earlier);
  const Answer paid = Pay(id);
  ASSERT_TRUE(paid.ok()) << paid.status();
  EXPECT_EQ(Stored(id).payment_id.str(), "pay_earlier");
  EXPECT_EQ(bank.charges(), 0);
}

TEST_F(RecoveryTest, ACancelAtEachOfItsCalls) {
  for (const char* method : {"RefundPayment", "ReleaseStock"}) {
    SCOPED_TRACE(method);
    const OrderId id = Paid();
    Faults& faults = std::string_view(method) == "ReleaseStock" ? stock.faults : bank.faults;
    faults.LoseAnswer(method);
    EXPECT_EQ(ErrorReason(Cancel(id, Brief(Staff())).status()), "PROCESS_PENDING");
    Restart();
    Recover();
    EXPECT_EQ(StatesOf(id), "CANCELED REFUNDED UNFULFILLED");
    EXPECT_EQ(StockOf(id), "RELEASED");
    EXPECT_EQ(EventsOf(id), "paid status_changed canceled status_changed");
  }
  EXPECT_EQ(bank.kept(), 0);
}

TEST_F(RecoveryTest, AConfirmationAtEachOfItsCalls) {
  for (const char* method : {"CommitStock", "ProcessPayment", "ConfirmPayment"}) {
    SCOPED_TRACE(method);
    const OrderId id = Place(PaymentMethod::kBankTransfer);
    Faults& faults = std::string_view(method) == "CommitStock" ? stock.faults : bank.faults;
    faults.LoseAnswer(method);
    EXPECT_EQ(ErrorReason(Confirm(id, 12950, Brief(Staff())).status()), "PAYMENT_PENDING");
    Restart();
    Recover();
    EXPECT_EQ(StatesOf(id), "PAID PAID UNFULFILLED");
    EXPECT_EQ(EventsOf(id), "paid status_changed");
  }
  EXPECT_EQ(bank.kept(), 3 * 12950);
  EXPECT_EQ(bank.payments().size(), 3u);
}

TEST_F(RecoveryTest, AShipmentAtItsSecondCall) {
  const OrderId id = Paid();
  stock.faults.LoseAnswer("ShipStock");
  EXPECT_EQ(ErrorReason(Fulfill(id, {}, Brief(Staff())).status()), "PROCESS_PENDING");
  EXPECT_EQ(Stored(id).shipments.at(0).status, ShipmentStatus::kPreparing);
  Restart();
  Recover();
  EXPECT_EQ(StatesOf(id), "FULFILLED PAID SHIPPED");
  EXPECT_THAT(stock.shipped(), ::testing::UnorderedElementsAre("MUG 2", "TENT 1"));
  EXPECT_EQ(Stored(id).shipments.size(), 2u);
}

TEST_F(RecoveryTest, AnExpiryRacesWithAPayment) {
  for (int round = 0; round < 30; ++round) {
    const OrderId id = Place();
    std::future<Answer> paying;
    if (round % 2 == 0) paying = StartPay(id);
    std::future<absl::StatusOr<Changed>> expiring = StartSubmit({id, ExpireOrder{}});
    if (round % 2 == 1) paying = StartPay(id);
    const absl::StatusOr<Changed> changed = expiring.get();
    ASSERT_TRUE(changed.ok()) << changed.status();
    const Answer paid = paying.get();
    if (changed->how == Changed::How::kDone) {
      EXPECT_EQ(ErrorReason(paid.status()), "HOLD_EXPIRED");
      EXPECT_EQ(StatesOf(id), "CANCELED PENDING UNFULFILLED");
    } else {
      ASSERT_TRUE(paid.ok()) << paid.status();
      EXPECT_EQ(StatesOf(id), "PAID PAID UNFULFILLED");
    }
  }
  EXPECT_EQ(bank.kept(),
            12950 * std::stoll(Query("SELECT count(*) FROM orders.orders WHERE tenant_id = $T AND "
                                     "status = 'PAID'")));
}

TEST_F(RecoveryTest, ManyOrdersThroughAFlickeringBank) {
  constexpr int kOrders = 60;
  Recoverer recoverer(*pool_, *processes_);
  service::Job recovering(loop_.io(), "recovery", absl::Milliseconds(10),
                          [&](std::stop_token stop) { return recoverer.Round(stop); });
  recovering.Start();
  bank.faults.LoseAnswer("ProcessPayment", 30);
  stock.faults.Break("CommitStock", 20);
  std::vector<OrderId> ids;
  std::vector<std::future<Answer>> answers;
  for (int i = 0; i < kOrders; ++i) {
    ids.push_back(Place());
    answers.push_back(StartPay(ids.back()));
  }
  for (std::future<Answer>& answer : answers) {
    const Answer paid = answer.get();
    EXPECT_TRUE(paid.ok()) << paid.status();
  }
  recovering.Stop();
  for (const OrderId& id : ids) EXPECT_EQ(StatesOf(id), "PAID PAID UNFULFILLED");
  EXPECT_EQ(bank.charges(), kOrders);
  EXPECT_EQ(bank.kept(), kOrders * 12950);
  EXPECT_EQ(Processes(), "0");
}

}  // namespace
}  // namespace bv::order
