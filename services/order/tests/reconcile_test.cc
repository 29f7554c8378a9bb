// What does not add up between orders, stock and money, as it is found by looking and as Kafka tells of it.
#include <thread>

#include "commerce/inventory/v1/events.pb.h"
#include "commerce/payment/v1/events.pb.h"
#include "libs/base/strings.h"
#include "libs/events/outbox.h"
#include "libs/testing/kafka/kafka_topic.h"
#include "services/order/events/peer_events.h"
#include "services/order/reconcile/reconciler.h"
#include "services/order/tests/lifecycle_fixture.h"

namespace bv::order {
namespace {

namespace inventory = commerce::inventory::v1;
namespace payment = commerce::payment::v1;

class ReconcileTest : public LifecycleTest {
 protected:
  ReconcileTest() {
    reconciler_.reset(new Reconciler({.pool = *pool_,
                                      .lanes = *changes_,
                                      .processes = *processes_,
                                      .steps = *steps_,
                                      .inventory = *inventory_,
                                      .payments = *payments_,
                                      .tokens = *tokens_}));
  }

  // A payment of the order that the order knows nothing of.
  SettledPayment Stray(const OrderId& id) {
    SettledPayment made{.payment = PaymentId::New(),
                        .order = id,
                        .amount = {12950, Currency::Trusted("USD")},
                        .reference = "tx-1"};
    Bank::Payment payment;
    payment.set_payment_id(made.payment.str());
    payment.set_order_id(id.str());
    payment.set_amount(12950);
    payment.set_currency("USD");
    payment.set_status(payment::PAYMENT_STATUS_SUCCEEDED);
    bank.Put(payment);
    return made;
  }
  void Settle(const SettledPayment& made) {
    const RequestContext context = Staff();
    const absl::Status settled = loop_.Run(reconciler_->Settle(made, context));
    EXPECT_TRUE(settled.ok()) << settled;
    processes_->Stop(absl::InfiniteFuture());
    Restart();
    ReconcileAgain();
  }
  // Looks for overdue orders, and finishes what that begins.
  void CheckOverdue() {
    const absl::Status checked = loop_.Run(reconciler_->CheckOverdue());
    EXPECT_TRUE(checked.ok()) << checked;
    processes_->Stop(absl::InfiniteFuture());
    Restart();
    ReconcileAgain();
  }
  void ExpireHold(const OrderId& id, const std::string& ago = "2 minutes") {
    Query("UPDATE orders.orders SET hold_expires_at = now() - interval '" + ago + "' WHERE order_id = '" +
          id.str() + "'");
  }
  static double Count(const char* name, const char* what) {
    return telemetry::Counter(name, "", {{"what", what}}).Value();
  }

  std::unique_ptr<Reconciler> reconciler_;

 private:
  void ReconcileAgain() {
    reconciler_.reset(new Reconciler({.pool = *pool_,
                                      .lanes = *changes_,
                                      .processes = *processes_,
                                      .steps = *steps_,
                                      .inventory = *inventory_,
                                      .payments = *payments_,
                                      .tokens = *tokens_}));
  }
};

TEST_F(ReconcileTest, APaymentThatTheOrderKnowsOfIsNothingNew) {
  const OrderId id = Paid();
  Settle({.payment = Stored(id).payment_id, .order = id});
  EXPECT_EQ(StatesOf(id), "PAID PAID UNFULFILLED");
  const OrderId paying = Place();
  const Process process = BeginOnly(ProcessKind::kPay, paying);
  Settle({.payment = process.payment, .order = paying});
  EXPECT_EQ(StatesOf(paying), "PENDING PENDING UNFULFILLED") << "left to what is under way";
  EXPECT_EQ(bank.kept(), 12950);
}

TEST_F(ReconcileTest, MoneyThatComesDuringACancellationWaitsForItsEnd) {
  const OrderId id = Place();
  BeginOnly(ProcessKind::kCancel, id, "BACK_OFFICE");
  const SettledPayment made = Stray(id);
  const RequestContext context = Staff();
  EXPECT_EQ(loop_.Run(reconciler_->Settle(made, context)).code(), absl::StatusCode::kUnavailable);
  Recover();
  Settle(made);
  EXPECT_EQ(StatesOf(id), "CANCELED REFUNDED UNFULFILLED");
  EXPECT_EQ(bank.kept(), 0);
}

TEST_F(ReconcileTest, AnOrderThatWaitsForItsPaymentIsFinished) {
  for (const PaymentMethod method : {PaymentMethod::kCard, PaymentMethod::kBankTransfer}) {
    const OrderId id = Place(method);
    const SettledPayment made = Stray(id);
    Settle(made);
    EXPECT_EQ(StatesOf(id), "PAID PAID UNFULFILLED");
    EXPECT_EQ(Stored(id).payment_id, made.payment);
    EXPECT_EQ(StockOf(id), "COMMITTED");
    EXPECT_EQ(HistoryOf(id), "PENDING CREATED user-1, PAID PAID order-service");
    Settle(made);
    EXPECT_EQ(Stored(id).version, 2);
  }
  EXPECT_EQ(bank.charges(), 0);
}

TEST_F(ReconcileTest, ItsMoneyIsGivenBackWhenItsStockIsGone) {
  const OrderId id = Place();
  stock.Set(id.str(), inventory::RESERVATION_STATUS_EXPIRED);
  Settle(Stray(id));
  EXPECT_EQ(StatesOf(id), "CANCELED REFUNDED UNFULFILLED");
  EXPECT_EQ(bank.kept(), 0);
}

TEST_F(ReconcileTest, MoneyForACanceledOrderIsGivenBack) {
  const OrderId id = Place();
  ASSERT_TRUE(Cancel(id).ok());
  const SettledPayment made = Stray(id);
  for (int i = 0; i < 2; ++i) Settle(made);
  EXPECT_EQ(StatesOf(id), "CANCELED REFUNDED UNFULFILLED");
  EXPECT_EQ(bank.kept(), 0);
  EXPECT_EQ(bank.faults.calls("RefundPayment"), 1);
  EXPECT_EQ(HistoryOf(id),
            "PENDING CREATED user-1, CANCELED CUSTOMER_REQUEST user-1, CANCELED REFUNDED order-service");
}

TEST_F(ReconcileTest, ASecondPaymentOfAPaidOrderIsGivenBack) {
  const OrderId id = Paid();
  Settle(Stray(id));
  EXPECT_EQ(bank.kept(), 12950);
  EXPECT_EQ(StatesOf(id), "PAID PAID UNFULFILLED");
}

TEST_F(ReconcileTest, WhatCannotBeMendedIsReported) {
  const double before = Count("order_unreconciled_total", "payment_without_order");
  Settle(Stray(OrderId::New()));
  EXPECT_EQ(Count("order_unreconciled_total", "payment_without_order"), before + 1);
  const double not_fitting = Count("order_unreconciled_total", "payment_not_fitting");
  const OrderId id = Place(PaymentMethod::kBankTransfer);
  SettledPayment less = Stray(id);
  less.amount.minor_units = 1;
  Settle(less);
  EXPECT_EQ(StatesOf(id), "PENDING PENDING UNFULFILLED");
  EXPECT_EQ(Count("order_unreconciled_total", "payment_not_fitting"), not_fitting + 1);
}

TEST_F(ReconcileTest, AnExpiryThatWasNotHeardOf) {
  const OrderId expired = Place(), released = Place(), unknown = Place(), held = Place(), fresh = Place();
  stock.Set(expired.str(), inventory::RESERVATION_STATUS_EXPIRED);
  stock.Set(released.str(), inventory::RESERVATION_STATUS_RELEASED);
  Query("UPDATE orders.orders SET reservation_id = 'rsv_unknown' WHERE order_id = '" + unknown.str() + "'");
  for (const OrderId& id : {expired, released, unknown, held}) ExpireHold(id);
  ExpireHold(fresh, "10 seconds");
  stock.Set(fresh.str(), inventory::RESERVATION_STATUS_EXPIRED);
  CheckOverdue();
  for (const OrderId& id : {expired, released, unknown}) {
    EXPECT_EQ(StatesOf(id), "CANCELED PENDING UNFULFILLED");
    EXPECT_EQ(Stored(id).cancel_reason, "EXPIRED");
  }
  EXPECT_EQ(StatesOf(held), "PENDING PENDING UNFULFILLED") << "inventory is about to sweep it";
  EXPECT_EQ(StatesOf(fresh), "PENDING PENDING UNFULFILLED") << "the news is on its way";
  const double before = Count("order_unreconciled_total", "hold_not_swept");
  ExpireHold(held, "11 minutes");
  CheckOverdue();
  EXPECT_EQ(Count("order_unreconciled_total", "hold_not_swept"), before + 1);
}

TEST_F(ReconcileTest, StockThatIsCommittedForNothing) {
  const OrderId unpaid = Place(), paid = Place(), due = Place(PaymentMethod::kCashOnDelivery);
  Query("DELETE FROM orders.order_process WHERE tenant_id = $T");
  for (const OrderId& id : {unpaid, paid, due}) {
    ExpireHold(id);
    stock.Set(id.str(), inventory::RESERVATION_STATUS_COMMITTED);
  }
  Stray(paid);
  CheckOverdue();
  EXPECT_EQ(StatesOf(unpaid), "CANCELED PENDING UNFULFILLED");
  EXPECT_EQ(StockOf(unpaid), "RELEASED");
  EXPECT_EQ(StatesOf(paid), "PAID PAID UNFULFILLED");
  EXPECT_EQ(StatesOf(due), "PENDING DUE_ON_DELIVERY UNFULFILLED");
  EXPECT_FALSE(Stored(due).hold_expires_at) << "nothing is overdue any more";
}

TEST_F(ReconcileTest, ManyPagesAreLookedInto) {
  constexpr int kOrders = 230;
  for (int i = 0; i < kOrders; ++i) {
    const OrderId id = Place();
    stock.Set(id.str(), inventory::RESERVATION_STATUS_EXPIRED);
  }
  Query(
      "UPDATE orders.orders SET hold_expires_at = date_trunc('hour', now()) - interval '1 hour' WHERE "
      "tenant_id = $T");
  CheckOverdue();
  EXPECT_EQ(Query("SELECT count(*) FROM orders.orders WHERE tenant_id = $T AND status = 'CANCELED'"),
            std::to_string(kOrders));
}

// --- Over Kafka.

class PeerEventsTest : public ReconcileTest {
 protected:
  PeerEventsTest() {
    topic_.Create(3);
    retries_.Create(3, {{"cleanup.policy", "compact"}});
    dead_letters_.Create(1);
    events_ = std::make_unique<PeerEvents>(
        loop_.io(), kafka::ConsumerSettings{.brokers = testing::Environment("BV_KAFKA_BROKERS")}, *pool_,
        *reconciler_, group_, std::vector<std::string>{topic_.name()});
    EXPECT_TRUE(events_->Start().ok());
  }
  ~PeerEventsTest() override { events_->Stop(); }

  testing::Written EventOf(const google::protobuf::Message& payload) {
    const auto row = events::MakeRow(payload, 1, absl::Now(), Staff());
    EXPECT_TRUE(row.ok()) << row.status();
    return {.key = row->key, .value = row->payload, .headers = {{"tenantId", tenant().str()}}};
  }
  testing::Written Expired(const OrderId& id, const std::string& holder = "ORDER") {
    inventory::ReservationExpired event;
    event.set_reservation_id(id.str());
    event.set_holder(holder);
    return EventOf(event);
  }
  testing::Written Succeeded(const SettledPayment& made) {
    payment::PaymentSucceeded event;
    event.set_payment_id(made.payment.str());
    event.set_order_id(made.order.str());
    event.set_amount(made.amount.minor_units);
    event.set_currency("USD");
    event.set_method("CARD");
    event.set_reference(made.reference);
    return EventOf(event);
  }
  void AwaitStates(const OrderId& id, const std::string& states) {
    const absl::Time deadline = absl::Now() + absl::Seconds(30);
    while (StatesOf(id) != states && absl::Now() < deadline) std::this_thread::yield();
    EXPECT_EQ(StatesOf(id), states);
  }

  testing::KafkaTopic topic_;
  const std::string group_ = topic_.name() + "-group";
  testing::KafkaTopic retries_{events::RetryTopic(topic_.name(), group_)};
  testing::KafkaTopic dead_letters_{kafka::DeadLetterTopic(topic_.name(), group_)};
  std::unique_ptr<PeerEvents> events_;
};

TEST_F(PeerEventsTest, ExpiryAndStrayMoneyAreTakenAndNonsensePutAside) {
  const OrderId expired = Place(), of_a_cart = Place(), stray = Place(), canceled = Place(), last = Place();
  ASSERT_TRUE(Cancel(canceled).ok());
  testing::Written nonsense = Expired(of_a_cart);
  nonsense.value = "{";
  topic_.Write({nonsense, Expired(expired), Expired(expired), Expired(of_a_cart, "CART"),
                Succeeded(Stray(stray)), Succeeded(Stray(canceled)), Expired(OrderId::New())});
  AwaitStates(expired, "CANCELED PENDING UNFULFILLED");
  AwaitStates(stray, "PAID PAID UNFULFILLED");
  AwaitStates(canceled, "CANCELED REFUNDED UNFULFILLED");
  EXPECT_EQ(HistoryOf(expired), "PENDING CREATED user-1, CANCELED EXPIRED order-service");
  topic_.Write({Expired(last)});
  AwaitStates(last, "CANCELED PENDING UNFULFILLED");
  EXPECT_EQ(StatesOf(of_a_cart), "PENDING PENDING UNFULFILLED");
  EXPECT_EQ(dead_letters_.Read(1).at(0).value, "{");
  EXPECT_EQ(bank.kept(), 12950);
}

}  // namespace
}  // namespace bv::order
