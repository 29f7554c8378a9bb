// How much of its tables the service reads when its statements were planned on tables with hardly a row,
// which is when a scan looks as good to the planner as a look-up.
#include "services/order/store/lookup_batch.h"
#include "services/order/store/order_rows.h"
#include "services/order/tests/lifecycle_fixture.h"

namespace bv::order {
namespace {

constexpr int kOrders = 200;
// What is done with an order here, its creation included, and the rows that each of it may read of a table.
constexpr int kSteps = 10;
constexpr int kRowsMax = 4;

using Ids = std::vector<OrderId>;
using Answers = std::vector<absl::StatusOr<Changed>>;

class PlansTest : public LifecycleTest {
 protected:
  // Submits a change of each order, one by one: a batch would share the rows of a scan.
  Answers SubmitAll(const Ids& ids, const std::function<decltype(Change::what)(std::size_t)>& what_of) {
    Answers answers;
    for (std::size_t i = 0; i < ids.size(); ++i) answers.push_back(Submit({ids[i], what_of(i)}));
    return answers;
  }
  Answers BeginAll(const Ids& ids, ProcessKind kind, const std::string& key = "") {
    return SubmitAll(ids, [&](std::size_t i) {
      BeginProcess begin{.process = NewProcess(kind, ids[i], Staff()), .role = Role::kStaff};
      begin.lease = absl::Hours(1);
      if (kind == ProcessKind::kPay) begin.process.payment = PaymentId::New();
      if (!key.empty()) begin.key_hash = key + ids[i].str();
      return begin;
    });
  }
  Answers FinishAll(const Ids& ids, const Answers& begun, End end, bool is_shipped = false) {
    return SubmitAll(ids, [&](std::size_t i) {
      const Process& process = *begun[i]->process;
      FinishProcess finish{.process = process, .end = end, .payment = process.payment};
      if (is_shipped) finish.shipped = process.shipments;
      return finish;
    });
  }
  static async::Task<absl::StatusOr<LookedUp>> LookUpIn(LookUpLanes& lanes, RecordKey key,
                                                        RequestContext context) {
    LookUp look_up{key};
    co_return co_await lanes.Submit(key.key_hash, std::move(look_up), std::move(context));
  }
  void LookUpAll(const Ids& ids) {
    LookUpLanes lanes("order_look_up", database().Connection(), {.count = 1}, ExecuteLookUpBatch,
                      postgres::LaneMode::kRead);
    for (const OrderId& id : ids) {
      const RecordKey key{tenant().str(), Staff().user_id, "pay-" + id.str()};
      const absl::StatusOr<LookedUp> found = loop_.Run(LookUpIn(lanes, key, Staff()));
      ASSERT_TRUE(found.ok()) << found.status();
      ASSERT_TRUE(found->record.has_value());
    }
  }

  // Every statement of the lanes that creation and changes have.
  void LiveAll(const Ids& ids) {
    const Answers paying = BeginAll(ids, ProcessKind::kPay, "pay-");
    ExpectOk(paying);
    ExpectOk(FinishAll(ids, paying, End::kPaid));
    LookUpAll(ids);
    // Refused, so that their keys are free again.
    for (const auto& refused : BeginAll(ids, ProcessKind::kPay, "late-")) EXPECT_FALSE(refused.ok());
    // Their stock is not there, so that their shipments are removed.
    const Answers in_vain = BeginAll(ids, ProcessKind::kFulfill);
    ExpectOk(in_vain);
    ExpectOk(FinishAll(ids, in_vain, End::kShipped, false));
    const Answers sending = BeginAll(ids, ProcessKind::kFulfill);
    ExpectOk(sending);
    const Answers sent = FinishAll(ids, sending, End::kShipped, true);
    ExpectOk(sent);
    ExpectOk(
        SubmitAll(ids, [&](std::size_t i) { return DeliverShipment{sent[i]->order.shipments.front().id}; }));
  }
  static void ExpectOk(const Answers& answers) {
    for (const auto& answer : answers) ASSERT_TRUE(answer.ok()) << answer.status();
  }
  void PlaceAndLiveAll() {
    Ids ids;
    for (int i = 0; i < kOrders; ++i) ids.push_back(Place());
    LiveAll(ids);
  }
  void ExpectLookUpsOnly(int rows_max = kOrders * kSteps * kRowsMax) {
    // The new ones have no session yet.
    changes_.emplace("order_change", database().Connection(), postgres::LaneSettings{.count = 1},
                     ExecuteChangeBatch);
    orders_.emplace("order", database().Connection(), postgres::LaneSettings{.count = 1}, ExecuteCreateBatch);
    EXPECT_EQ(database().TablesReadTooMuch("orders", rows_max), "");
  }
};

// Suites of their own, since a suite has one database.
class FewRowsTest : public PlansTest {};
class NoRowsTest : public PlansTest {};
class ManyOrdersTest : public PlansTest {};

TEST_F(FewRowsTest, WhatAnOrderReadsDoesNotGrowWithTheOrders) {
  LiveAll({Place()});
  database().Query("ANALYZE");
  // Every statement is planned before there are many.
  LiveAll({Place()});
  PlaceAndLiveAll();
  ExpectLookUpsOnly();
}

TEST_F(NoRowsTest, WhatAnOrderReadsDoesNotGrowWithTheOrders) {
  database().Query("ANALYZE");
  LiveAll({Place()});
  PlaceAndLiveAll();
  ExpectLookUpsOnly();
}

TEST_F(ManyOrdersTest, AListOfAStoreReadsTheCustomersOrdersOnly) {
  constexpr int kLists = 50;
  Place();
  Query(R"sql(
    INSERT INTO orders.orders
    SELECT (jsonb_populate_record(o, jsonb_build_object('order_id', 'ord_' || i, 'reservation_id', 'ord_' || i, 'user_id', 'user-of-' || i))).*
    FROM orders.orders o CROSS JOIN generate_series(1, 5000) i WHERE o.tenant_id = $T
  )sql");
  Query("ANALYZE orders.orders");
  {
    postgres::Session session(database().Connection(), postgres::Plans::kDefault);
    for (int i = 0; i < kLists; ++i) {
      const absl::Status read = session.Read({tenant()}, [&](postgres::Session& s) {
        EXPECT_EQ(ListOrders(s, tenant(), "user-1", StoreCode::Trusted("default"), "", 20).size(), 1u);
        return absl::OkStatus();
      });
      ASSERT_TRUE(read.ok()) << read;
    }
  }
  ExpectLookUpsOnly(kLists * kSteps);
}

}  // namespace
}  // namespace bv::order
