// The whole way of an order, with the real database; the peers answer by their contracts.
#include "libs/base/error.h"
#include "services/order/tests/checkout_fixture.h"

namespace bv::order {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_F(CheckoutTest, PricesHoldsAndStores) {
  const absl::StatusOr<pb::Order> order = Create(RequestOf({{"MUG", 2}, {"TENT", 1}}));
  ASSERT_TRUE(order.ok()) << order.status();
  EXPECT_EQ(order->total_amount(), 12950);
  EXPECT_EQ(order->currency(), "USD");
  EXPECT_EQ(order->status(), pb::ORDER_STATUS_PENDING);
  EXPECT_EQ(order->user_id(), "user-1");
  EXPECT_EQ(order->items(0).price(), 2500);
  EXPECT_THAT(warehouse_.held(), ElementsAre(order->order_id()));
  pb::GetOrderRequest get;
  get.set_order_id(order->order_id());
  const absl::StatusOr<pb::Order> read = Start(&OrderRpc::GetOrder, get, testing::ContextOf("acme")).get();
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->SerializeAsString(), order->SerializeAsString()) << "answered as it is stored";
  EXPECT_EQ(ErrorReason(Start(&OrderRpc::GetOrder, get, testing::ContextOf("acme", "user-2")).get().status()),
            "ORDER_NOT_FOUND");
  EXPECT_TRUE(Start(&OrderRpc::GetOrder, get, testing::ContextOf("acme", "user-2", Role::kStaff)).get().ok());
  EXPECT_FALSE(
      Start(&OrderRpc::GetOrder, get, testing::ContextOf("globex", "user-1", Role::kStaff)).get().ok());
}

TEST_F(CheckoutTest, NamesTheItemThatIsOutOfStock) {
  warehouse_.SellOut(1);
  // The mugs are added up, so inventory's second line is the customer's third item.
  const absl::Status status = Create(RequestOf({{"MUG", 1}, {"MUG", 1}, {"TENT", 1}})).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ErrorReason(status), "OUT_OF_STOCK");
  EXPECT_EQ(GetErrorDetail(status).field, "items[2].qty");
  EXPECT_EQ(Orders(), "0");
}

TEST_F(CheckoutTest, NamesWhatIsWrongWithTheRequest) {
  const auto field = [this](const pb::CreateOrderRequest& request) {
    return GetErrorDetail(Create(request).status()).field;
  };
  EXPECT_EQ(field(RequestOf({})), "items");
  EXPECT_EQ(field(RequestOf({{"MUG", 0}})), "items[0].qty");
  EXPECT_EQ(field(RequestOf({{"MUG", 1}, {"M U G", 1}})), "items[1].sku");
  EXPECT_EQ(field(RequestOf({{"MUG", 1}, {"SPOON", 1}})), "items[1]");
  pb::CreateOrderRequest request = RequestOf({{"MUG", 1}});
  request.set_currency("EUR");
  EXPECT_EQ(ErrorReason(Create(request).status()), "CURRENCY_MISMATCH");
  request = RequestOf({{"MUG", 1}});
  request.mutable_shipping_address()->set_country_code("Germany");
  EXPECT_EQ(field(request), "shippingAddress.countryCode");
  request.clear_shipping_address();
  EXPECT_EQ(field(request), "shippingAddress");
  request = RequestOf({{"MUG", 1}});
  request.set_email("ada");
  EXPECT_EQ(field(request), "email");
  request = RequestOf({{"MUG", 1}});
  request.set_payment_method(pb::PAYMENT_METHOD_UNSPECIFIED);
  EXPECT_EQ(field(request), "paymentMethod");
  EXPECT_THAT(warehouse_.held(), IsEmpty());
  EXPECT_EQ(Orders(), "0");
}

TEST_F(CheckoutTest, AnOrderThatIsNotStoredGivesItsStockBack) {
  StoreWith(
      [](postgres::Session&, std::span<OrderLanes::Item* const>) { return absl::InternalError("broken"); });
  EXPECT_EQ(Create(RequestOf({{"MUG", 1}})).status().code(), absl::StatusCode::kInternal);
  EXPECT_THAT(warehouse_.held(), IsEmpty());
}

TEST_F(CheckoutTest, TakesTheItemsOfACart) {
  pb::CreateOrderRequest request = RequestOf({});
  request.set_cart_id("crt_full");
  const absl::StatusOr<pb::Order> order = Create(request);
  ASSERT_TRUE(order.ok()) << order.status();
  EXPECT_EQ(order->total_amount(), 5000);
  request.set_cart_id("crt_empty");
  EXPECT_EQ(ErrorReason(Create(request).status()), "CART_EMPTY");
  request.add_items()->set_sku("MUG");
  EXPECT_EQ(GetErrorDetail(Create(request).status()).field, "items") << "one of the two";
}

TEST_F(CheckoutTest, ListsPageByPage) {
  std::vector<std::string> expected;
  for (int i = 0; i < 5; ++i) expected.insert(expected.begin(), Create(RequestOf({{"MUG", 1}}))->order_id());
  std::vector<std::string> listed;
  std::string token;
  int pages = 0;
  do {
    const absl::StatusOr<pb::ListOrdersResponse> page = List(2, token);
    ASSERT_TRUE(page.ok()) << page.status();
    for (const pb::Order& order : page->orders()) listed.push_back(order.order_id());
    token = page->next_page_token();
  } while (++pages < 10 && !token.empty());
  EXPECT_EQ(listed, expected);
  EXPECT_EQ(pages, 3);
  EXPECT_EQ(GetErrorDetail(List(2, "nonsense").status()).field, "pageToken");
  EXPECT_EQ(GetErrorDetail(List(101, "").status()).field, "pageSize");
  EXPECT_EQ(ErrorReason(List(2, "", testing::ContextOf("acme"), "user-2").status()), "NOT_YOURS");
  EXPECT_EQ(List(2, "", testing::ContextOf("acme", "staff-1", Role::kStaff), "user-1")->orders_size(), 2);
}

TEST_F(CheckoutTest, PeersThatAreAwayStoreNothing) {
  server_->Shutdown(absl::ToChronoTime(absl::Now()));
  const absl::Status status = Create(RequestOf({{"MUG", 1}})).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ErrorReason(status), "PEER_UNAVAILABLE");
  EXPECT_EQ(Orders(), "0");
}

}  // namespace
}  // namespace bv::order
