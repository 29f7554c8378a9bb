// Orders of the stores of a tenant.
#include "libs/base/error.h"
#include "services/order/tests/checkout_fixture.h"
#include "services/order/tests/lifecycle_fixture.h"

namespace bv::order {
namespace {

using ::testing::ElementsAre;

class OrdersOfStoresTest : public CheckoutTest {
 protected:
  static pb::CreateOrderRequest RequestIn(const std::string& store) {
    pb::CreateOrderRequest request = RequestOf({{"MUG", 1}});
    request.set_store_code(store);
    return request;
  }
  std::string Placed(const std::string& store) {
    const absl::StatusOr<pb::Order> order = Create(RequestIn(store));
    EXPECT_TRUE(order.ok()) << order.status();
    return order.ok() ? order->order_id() : "";
  }
  std::vector<std::string> Listed(const std::string& store, int page_size = 100) {
    std::vector<std::string> ids;
    std::string token;
    do {
      const absl::StatusOr<pb::ListOrdersResponse> page =
          List(page_size, token, testing::ContextOf("acme"), "", store);
      EXPECT_TRUE(page.ok()) << page.status();
      if (!page.ok()) return ids;
      for (const pb::Order& order : page->orders()) ids.push_back(order.order_id());
      token = page->next_page_token();
    } while (!token.empty());
    return ids;
  }
};

TEST_F(OrdersOfStoresTest, AnOrderKeepsItsStoreAndItsEventNamesIt) {
  const absl::StatusOr<pb::Order> order = Create(RequestIn("till_2"));
  ASSERT_TRUE(order.ok()) << order.status();
  EXPECT_EQ(order->store_code(), "till_2");
  pb::GetOrderRequest get;
  get.set_order_id(order->order_id());
  EXPECT_EQ(Start(&OrderRpc::GetOrder, get, testing::ContextOf("acme")).get()->store_code(), "till_2");
  EXPECT_EQ(database_.Query("SELECT store_code FROM orders.orders"), "till_2");
  EXPECT_EQ(database_.Query("SELECT payload::json->'payload'->>'storeCode' FROM outbox.event"), "till_2");
}

TEST_F(OrdersOfStoresTest, WithoutAStoreItIsTheDefaultOne) {
  EXPECT_EQ(Create(RequestOf({{"MUG", 1}}))->store_code(), "default");
  EXPECT_EQ(database_.Query("SELECT payload::json->'payload'->>'storeCode' FROM outbox.event"), "default");
  // Which is what a version from before there were stores leaves out.
  EXPECT_EQ(database_.Query("SELECT column_default FROM information_schema.columns WHERE table_schema = "
                            "'orders' AND table_name = 'orders' AND column_name = 'store_code'"),
            "'default'::text");
}

TEST_F(OrdersOfStoresTest, AnOrderOfACartIsOfTheStoreOfTheRequest) {
  pb::CreateOrderRequest request = RequestIn("eu");
  request.clear_items();
  request.set_cart_id("crt_full");
  const absl::StatusOr<pb::Order> order = Create(request);
  ASSERT_TRUE(order.ok()) << order.status();
  EXPECT_EQ(order->store_code(), "eu");
}

TEST_F(OrdersOfStoresTest, ACodeThatIsNoneIsRefused) {
  for (const std::string& store : {std::string("e u"), std::string("*"), std::string(33, 'x')}) {
    const absl::Status refused = Create(RequestIn(store)).status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument) << store;
    EXPECT_EQ(GetErrorDetail(refused).field, "storeCode") << store;
    EXPECT_EQ(GetErrorDetail(List(1, "", testing::ContextOf("acme"), "", store).status()).field, "storeCode");
  }
  EXPECT_EQ(Orders(), "0");
}

TEST_F(OrdersOfStoresTest, AKeyStandsForARequestInOneStore) {
  const absl::StatusOr<pb::Order> first = Create(RequestIn("eu"), WithKey("key"));
  ASSERT_TRUE(first.ok()) << first.status();
  const absl::StatusOr<pb::Order> again = Create(RequestIn("eu"), WithKey("key"));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->SerializeAsString(), first->SerializeAsString());
  EXPECT_EQ(ErrorReason(Create(RequestIn("us"), WithKey("key")).status()), "IDEMPOTENCY_KEY_REUSED");
  EXPECT_EQ(Orders(), "1");
}

TEST_F(OrdersOfStoresTest, AListIsOfOneStoreOrOfAll) {
  const std::string first = Placed("eu"), second = Placed("us"), third = Placed("eu"), fourth = Placed("");
  EXPECT_THAT(Listed("eu"), ElementsAre(third, first));
  EXPECT_THAT(Listed("eu", 1), ElementsAre(third, first)) << "page by page";
  EXPECT_THAT(Listed("us"), ElementsAre(second));
  EXPECT_THAT(Listed("default"), ElementsAre(fourth));
  EXPECT_THAT(Listed("nowhere"), ElementsAre());
  EXPECT_THAT(Listed(""), ElementsAre(fourth, third, second, first));
}

class LivesOfStoresTest : public LifecycleTest {
 protected:
  OrderId PlaceIn(const std::string& store) {
    const OrderId id = Place();
    Query("UPDATE orders.orders SET store_code = '" + store + "' WHERE order_id = '" + id.str() + "'");
    return id;
  }
  // "paid till, status_changed till": the events after the creation and the stores that they name.
  std::string StoresOf(const OrderId& id) {
    return Query(
        "SELECT string_agg(split_part(type, '.', 4) || ' ' || (payload::json->'payload'->>'storeCode'), ', ' "
        "ORDER BY seq) FROM outbox.event WHERE aggregate_version > 1 AND aggregateid = '" +
        id.str() + "'");
  }
};

TEST_F(LivesOfStoresTest, EveryEventOfItsLifeNamesTheStore) {
  const OrderId sent = PlaceIn("till");
  const Answer paid = Pay(sent);
  ASSERT_TRUE(paid.ok()) << paid.status();
  EXPECT_EQ(paid->store_code(), "till");
  ASSERT_TRUE(Fulfill(sent).ok());
  EXPECT_EQ(StoresOf(sent), "paid till, status_changed till, fulfilled till, status_changed till");
  const OrderId canceled = PlaceIn("eu");
  ASSERT_TRUE(Cancel(canceled).ok());
  EXPECT_EQ(StoresOf(canceled), "canceled eu, status_changed eu");
}

}  // namespace
}  // namespace bv::order
