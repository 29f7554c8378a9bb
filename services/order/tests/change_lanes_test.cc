// The lanes that change orders, without the services around them.
#include "libs/base/error.h"
#include "services/order/tests/lifecycle_fixture.h"

namespace bv::order {
namespace {

class ChangeLanesTest : public LifecycleTest {
 protected:
  BeginProcess BeginOf(const OrderId& id, const std::string& key = "", const std::string& request = "") {
    BeginProcess begin{.process = NewProcess(ProcessKind::kPay, id, Customer()), .owner = "user-1"};
    begin.process.payment = PaymentId::New();
    begin.lease = absl::Seconds(15);
    begin.key_hash = key;
    begin.request_hash = request;
    return begin;
  }
  Changed::How HowOf(Change change) {
    const absl::StatusOr<Changed> changed = Submit(std::move(change), Customer());
    EXPECT_TRUE(changed.ok()) << changed.status();
    return changed.ok() ? changed->how : Changed::How::kNothing;
  }
  FinishProcess Paying(const Process& process) {
    return {.process = process, .end = End::kPaid, .payment = process.payment};
  }
  std::string Keys() const {
    return Query("SELECT count(*) FROM orders.idempotency_record WHERE tenant_id = $T");
  }
};

TEST_F(ChangeLanesTest, WhatWasBegunIsStoredAndRead) {
  const OrderId id = Place();
  BeginProcess begin = BeginOf(id);
  begin.process.reference = "statement \"7\"\n";
  begin.process.reason = "DAMAGED";
  const Process process = begin.process;
  ASSERT_EQ(HowOf({id, begin}), Changed::How::kDone);
  Query("UPDATE orders.order_process SET next_at = now() WHERE tenant_id = $T");
  postgres::Session session(database().Connection(), postgres::Plans::kDefault);
  std::vector<TenantProcess> taken;
  const absl::Status took = session.Transact({postgres::EveryTenant()}, [&](postgres::Session& s) {
    taken = TakeDueProcesses(s, 10, absl::Seconds(15));
    return absl::OkStatus();
  });
  ASSERT_TRUE(took.ok()) << took;
  ASSERT_EQ(taken.size(), 1u);
  EXPECT_EQ(taken[0].tenant, tenant());
  const Process& read = taken[0].process;
  EXPECT_EQ(read.order, id);
  EXPECT_EQ(read.id, process.id);
  EXPECT_EQ(read.kind, ProcessKind::kPay);
  EXPECT_EQ(read.payment, process.payment);
  EXPECT_EQ(read.reference, process.reference);
  EXPECT_EQ(read.reason, "DAMAGED");
  EXPECT_EQ(read.actor, "user-1");
  EXPECT_EQ(read.correlation_id, "correlation-1");
  EXPECT_EQ(read.trace.trace_id, process.trace.trace_id);
  EXPECT_EQ(read.attempts, 1);
}

TEST_F(ChangeLanesTest, ABatchWhoseCommitWasNotHeardWritesOnce) {
  std::atomic<int> cuts{0};
  ChangeLanes lanes("order_change", database().Connection(), {.count = 1},
                    [&](postgres::Session& session, std::span<ChangeLanes::Item* const> items) {
                      const absl::Status status = ExecuteChangeBatch(session, items);
                      if (cuts-- > 0) database().CommitUnheard(session);
                      return status;
                    });
  const OrderId id = Place();
  const auto submit = [&](Change change) {
    cuts = 1;
    return StartSubmit(std::move(change), Customer(), &lanes).get();
  };
  const BeginProcess begin = BeginOf(id, "key", "request");
  const absl::StatusOr<Changed> begun = submit({id, begin});
  ASSERT_TRUE(begun.ok()) << begun.status();
  EXPECT_EQ(begun->how, Changed::How::kDone) << "its own, and no repeat of somebody's";
  const absl::StatusOr<Changed> finished = submit({id, Paying(begin.process)});
  ASSERT_TRUE(finished.ok()) << finished.status();
  EXPECT_EQ(finished->order.status, Status::kPaid);
  EXPECT_EQ(finished->order.version, 2);
  EXPECT_EQ(HistoryOf(id), "PENDING CREATED user-1, PAID PAID user-1");
  EXPECT_EQ(EventsOf(id), "paid status_changed");
  EXPECT_EQ(Keys(), "1");
}

TEST_F(ChangeLanesTest, OnlyTheProcessThatIsUnderWayIsFinished) {
  const OrderId id = Place();
  const BeginProcess first = BeginOf(id);
  ASSERT_EQ(HowOf({id, first}), Changed::How::kDone);
  ASSERT_EQ(HowOf({id, FinishProcess{.process = first.process, .end = End::kPaymentFailed}}),
            Changed::How::kDone);
  ASSERT_EQ(HowOf({id, BeginOf(id)}), Changed::How::kDone);
  EXPECT_EQ(HowOf({id, Paying(first.process)}), Changed::How::kNothing) << "that one has ended";
  EXPECT_EQ(StatesOf(id), "PENDING FAILED UNFULFILLED");
  EXPECT_EQ(Processes(), "1");
}

TEST_F(ChangeLanesTest, ExpiryCancelsWhatIsPendingAndLetsAllElseBe) {
  const OrderId pending = Place();
  EXPECT_EQ(HowOf({pending, ExpireOrder{}}), Changed::How::kDone);
  EXPECT_EQ(HowOf({pending, ExpireOrder{}}), Changed::How::kNothing);
  EXPECT_EQ(StatesOf(pending), "CANCELED PENDING UNFULFILLED");
  const OrderId paying = Place();
  ASSERT_EQ(HowOf({paying, BeginOf(paying)}), Changed::How::kDone);
  EXPECT_EQ(HowOf({paying, ExpireOrder{}}), Changed::How::kNothing) << "the payment finds out by itself";
  const OrderId paid = Paid();
  EXPECT_EQ(HowOf({paid, ExpireOrder{}}), Changed::How::kNothing);
}

TEST_F(ChangeLanesTest, AKeyIsTakenByTheFirstRequestThatIsAccepted) {
  const OrderId id = Place(), other = Place();
  ASSERT_EQ(HowOf({id, BeginOf(id, "key", "request")}), Changed::How::kDone);
  EXPECT_EQ(HowOf({id, BeginOf(id, "key", "request")}), Changed::How::kRepeated);
  EXPECT_EQ(ErrorReason(Submit({id, BeginOf(id, "key", "another")}, Customer()).status()),
            "IDEMPOTENCY_KEY_REUSED");
  EXPECT_EQ(ErrorReason(Submit({other, BeginOf(other, "key", "request")}, Customer()).status()),
            "IDEMPOTENCY_KEY_REUSED");
  EXPECT_EQ(HowOf({id, BeginOf(id, "second", "request")}), Changed::How::kJoined);
  const OrderId paid = Paid();
  EXPECT_EQ(ErrorReason(Submit({paid, BeginOf(paid, "third", "request")}, Customer()).status()),
            "ORDER_STATE");
  EXPECT_EQ(Keys(), "2") << "a refused request leaves its key free";
  Query("UPDATE orders.idempotency_record SET created_at = now() - interval '25 hours' WHERE tenant_id = $T");
  EXPECT_EQ(HowOf({other, BeginOf(other, "key", "new")}), Changed::How::kDone) << "a key counts for a day";
}

TEST_F(ChangeLanesTest, ManyChangesOfManyOrdersAtOnce) {
  ChangeLanes elsewhere("order_change", database().Connection(), {.count = 2}, ExecuteChangeBatch);
  std::vector<OrderId> ids;
  for (int i = 0; i < 20; ++i) ids.push_back(Place());
  // Two replicas, each with begins, expiries and a second begin of every order.
  std::vector<std::future<absl::StatusOr<Changed>>> answers;
  std::map<OrderId, int> done;
  for (const OrderId& id : ids) {
    for (ChangeLanes* lanes : {&*changes_, &elsewhere}) {
      answers.push_back(StartSubmit({id, BeginOf(id, "key-" + id.str(), "request")}, Customer(), lanes));
      answers.push_back(StartSubmit({id, ExpireOrder{}}, Customer(), lanes));
    }
  }
  for (auto& answer : answers) {
    const absl::StatusOr<Changed> changed = answer.get();
    if (changed.ok()) {
      done[changed->order.id] += changed->how == Changed::How::kDone ? 1 : 0;
    } else {
      EXPECT_EQ(ErrorReason(changed.status()), "HOLD_EXPIRED");
    }
  }
  for (const OrderId& id : ids) EXPECT_EQ(done[id], 1) << "either begun or expired, once";
}

// What the code forgets, the database still holds.
TEST_F(ChangeLanesTest, RowsAreHiddenFromRawSql) {
  const OrderId id = Paid();
  ASSERT_TRUE(Fulfill(id).ok());
  const OrderId pending = Place();
  ASSERT_EQ(HowOf({pending, BeginOf(pending)}), Changed::How::kDone);
  static constexpr postgres::Statement kCounts{"test_change_counts", R"sql(
    SELECT (SELECT count(*) FROM shipment) + (SELECT count(*) FROM shipment_item), (SELECT count(*) FROM order_process)
  )sql"};
  postgres::Session session(database().Connection(), postgres::Plans::kDefault);
  const auto counts = [&](const TenantId& who) {
    std::string text;
    const absl::Status read = session.Read({who}, [&](postgres::Session& s) {
      const pqxx::result result = s.Exec(kCounts);
      text = result[0][0].as<std::string>() + " " + result[0][1].as<std::string>();
      return absl::OkStatus();
    });
    EXPECT_TRUE(read.ok()) << read;
    return text;
  };
  EXPECT_EQ(counts(tenant()), "4 1");
  EXPECT_EQ(counts(TenantId::Trusted("globex")), "0 0");
  EXPECT_EQ(counts(postgres::EveryTenant()).substr(0, 2), "0 ") << "jobs find processes and nothing else";
}

}  // namespace
}  // namespace bv::order
