// Requests that come again, after a crash and at once: one order, one hold.
#include <future>
#include <set>

#include "libs/base/error.h"
#include "libs/rpc/timestamp.h"
#include "services/order/tests/checkout_fixture.h"

namespace bv::order {
namespace {

using ::testing::ElementsAre;

class CheckoutRepeatsTest : public CheckoutTest {};

TEST_F(CheckoutRepeatsTest, ARepeatIsTheFirstOrder) {
  const absl::StatusOr<pb::Order> first = Create(RequestOf({{"MUG", 2}}), WithKey("key"));
  const absl::StatusOr<pb::Order> again = Create(RequestOf({{"MUG", 2}}), WithKey("key"));
  ASSERT_TRUE(first.ok() && again.ok());
  EXPECT_EQ(again->SerializeAsString(), first->SerializeAsString());
  EXPECT_EQ(catalogue_.asked_nanos(), absl::ToUnixNanos(rpc::FromTimestamp(first->created_at())));
  EXPECT_EQ(ErrorReason(Create(RequestOf({{"MUG", 3}}), WithKey("key")).status()), "IDEMPOTENCY_KEY_REUSED");
  EXPECT_EQ(warehouse_.held().size(), 1u);
  EXPECT_EQ(Orders(), "1");
}

TEST_F(CheckoutRepeatsTest, ARepeatAfterACrashFindsTheHold) {
  // The first attempt ended between the hold and the order.
  StoreWith([](postgres::Session&, std::span<OrderLanes::Item* const>) {
    return absl::UnavailableError("the process has ended");
  });
  EXPECT_FALSE(Create(RequestOf({{"MUG", 2}}), WithKey("key")).ok());
  const std::vector<std::string> held = warehouse_.held();
  ASSERT_EQ(held.size(), 1u);
  StoreWith(ExecuteCreateBatch);
  const absl::StatusOr<pb::Order> order = Create(RequestOf({{"MUG", 2}}), WithKey("key"));
  ASSERT_TRUE(order.ok()) << order.status();
  EXPECT_EQ(warehouse_.held(), held) << "one order, one hold";
}

TEST_F(CheckoutRepeatsTest, AHoldThatHasEndedIsNotTakenForANewOne) {
  StoreWith([](postgres::Session&, std::span<OrderLanes::Item* const>) {
    return absl::UnavailableError("the process has ended");
  });
  EXPECT_FALSE(Create(RequestOf({{"MUG", 2}}), WithKey("key")).ok());
  warehouse_.Expire();
  StoreWith(ExecuteCreateBatch);
  const absl::StatusOr<pb::Order> order = Create(RequestOf({{"MUG", 2}}), WithKey("key"));
  ASSERT_TRUE(order.ok()) << order.status();
  EXPECT_THAT(warehouse_.held(), ElementsAre(order->order_id()));
}

TEST_F(CheckoutRepeatsTest, AHoldFromBeforeTheKeyRanOutIsAnotherOrders) {
  warehouse_.Age(absl::Hours(24));
  const absl::StatusOr<pb::Order> order = Create(RequestOf({{"MUG", 2}}), WithKey("key"));
  ASSERT_TRUE(order.ok()) << order.status();
  EXPECT_EQ(database_.Query("SELECT reservation_id FROM orders.orders"), order->order_id());
}

TEST_F(CheckoutRepeatsTest, RepeatsAtOnceAreOneOrderWithOneHold) {
  std::vector<std::future<absl::StatusOr<pb::Order>>> answers;
  for (int i = 0; i < 16; ++i)
    answers.push_back(Start(&OrderRpc::CreateOrder, RequestOf({{"MUG", 2}}), WithKey("key")));
  std::set<std::string> ids;
  for (auto& answer : answers) {
    const absl::StatusOr<pb::Order> order = answer.get();
    ASSERT_TRUE(order.ok()) << order.status();
    ids.insert(order->order_id());
  }
  EXPECT_EQ(ids.size(), 1u);
  EXPECT_EQ(warehouse_.held().size(), 1u) << "all of them found the same hold";
  EXPECT_EQ(Orders(), "1");
}

TEST_F(CheckoutRepeatsTest, WhoseKeyWentToAnotherRequestAsksForNoStockOfItsOwn) {
  // Three requests have seen that nothing stands under the key. The first to go on places its order; the
  // second, which is another request, gives its hold back; the third is that request once more.
  const auto place_other = [&] {
    const absl::StatusOr<pb::Order> placed = Create(RequestOf({{"MUG", 3}}), WithKey("key"));
    EXPECT_TRUE(placed.ok()) << placed.status();
  };
  const auto be_refused = [&] {
    const absl::StatusOr<pb::Order> refused = Create(RequestOf({{"MUG", 2}}), WithKey("key"));
    EXPECT_EQ(ErrorReason(refused.status()), "IDEMPOTENCY_KEY_REUSED");
    warehouse_.SellOut(0);
  };
  warehouse_.WaitFor({place_other, be_refused});
  EXPECT_EQ(ErrorReason(Create(RequestOf({{"MUG", 2}}), WithKey("key")).status()), "IDEMPOTENCY_KEY_REUSED");
  EXPECT_EQ(warehouse_.held().size(), 1u);
  EXPECT_EQ(Orders(), "1");
}

TEST_F(CheckoutRepeatsTest, AnOrderThatMayBeStoredKeepsItsStock) {
  StoreWith([this](postgres::Session& session, std::span<OrderLanes::Item* const> items) {
    const absl::Status status = ExecuteCreateBatch(session, items);
    database_.CommitUnheard(session);
    return status;
  });
  EXPECT_EQ(Create(RequestOf({{"MUG", 1}}), WithKey("key")).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Orders(), "1");
  EXPECT_EQ(warehouse_.held().size(), 1u);
  StoreWith(ExecuteCreateBatch);
  const absl::StatusOr<pb::Order> again = Create(RequestOf({{"MUG", 1}}), WithKey("key"));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(warehouse_.held().size(), 1u) << "the repeat finds the order";
}

}  // namespace
}  // namespace bv::order
