// The whole way of an order, with the real database; the peers answer by their contracts.
#include "services/order/rpc/checkout.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <future>
#include <mutex>
#include <optional>
#include <set>

#include "libs/base/error.h"
#include "libs/base/strings.h"
#include "libs/rpc/status.h"
#include "libs/rpc/timestamp.h"
#include "libs/testing/testing.h"
#include "services/order/rpc/order_rpc.h"

namespace bv::order {
namespace {

namespace cart = commerce::cart::v1;
namespace inventory = commerce::inventory::v1;
namespace product = commerce::product::v1;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A mug for 25.00 and a tent for 79.50.
class Catalogue final : public product::Products::Service {
 public:
  // The time whose prices were asked for last.
  std::int64_t asked_nanos() const { return asked_nanos_; }

 private:
  grpc::Status ResolveVariants(grpc::ServerContext*, const product::ResolveVariantsRequest* request,
                               product::ResolveVariantsResponse* response) override {
    asked_nanos_ = absl::ToUnixNanos(rpc::FromTimestamp(request->at()));
    for (const product::VariantRef& ref : request->variants()) {
      product::ResolvedVariant* variant = response->add_variants();
      variant->set_outcome(product::ResolvedVariant::OUTCOME_NOT_FOUND);
      if (ref.sku() != "MUG" && ref.sku() != "TENT") continue;
      variant->set_outcome(product::ResolvedVariant::OUTCOME_SELLABLE);
      variant->set_product_id("prd_" + ref.sku());
      variant->set_variant_id("var_" + ref.sku());
      variant->set_sku(ref.sku());
      variant->set_title(ref.sku());
      variant->set_price(ref.sku() == "MUG" ? 2500 : 7950);
      variant->set_currency("USD");
    }
    return grpc::Status::OK;
  }
  std::atomic<std::int64_t> asked_nanos_{0};
};

class Warehouse final : public inventory::Inventory::Service {
 public:
  std::vector<std::string> held() {
    const std::lock_guard lock(mutex_);
    return {held_.begin(), held_.end()};
  }
  // All that is held has expired.
  void Expire() {
    const std::lock_guard lock(mutex_);
    ended_.merge(held_);
    held_.clear();
  }
  // From now on holds are found that are so old.
  void Age(absl::Duration age) { age_ = age; }
  // From now on nothing more of this line is there.
  void SellOut(int line) { sold_out_line_ = line; }
  // Each of the next calls that ask for stock waits for one of these, the first for the last.
  void WaitFor(std::vector<std::function<void()>> others) {
    const std::lock_guard lock(mutex_);
    others_ = std::move(others);
  }

 private:
  grpc::Status ReserveStock(grpc::ServerContext*, const inventory::ReserveRequest* request,
                            inventory::ReserveResponse* response) override {
    if (const std::function<void()> other = NextOther()) other();
    const std::lock_guard lock(mutex_);
    const bool ended = ended_.contains(request->reservation_id());
    if (!ended && sold_out_line_ >= 0) {
      return rpc::ToGrpc(Error(absl::StatusCode::kFailedPrecondition, "OUT_OF_STOCK", "nothing left",
                               Concat("lines[", sold_out_line_.load(), "].qty")));
    }
    response->set_status(ended ? inventory::RESERVATION_STATUS_EXPIRED : inventory::RESERVATION_STATUS_HELD);
    const std::int64_t now = absl::ToUnixSeconds(absl::Now());
    response->mutable_created_at()->set_seconds(now - absl::ToInt64Seconds(age_));
    response->mutable_expires_at()->set_seconds(now + 900);
    if (response->status() == inventory::RESERVATION_STATUS_HELD) held_.insert(request->reservation_id());
    return grpc::Status::OK;
  }
  grpc::Status ReleaseStock(grpc::ServerContext*, const inventory::ReleaseRequest* request,
                            inventory::ReleaseResponse*) override {
    const std::lock_guard lock(mutex_);
    held_.erase(request->reservation_id());
    ended_.insert(request->reservation_id());
    return grpc::Status::OK;
  }
  std::function<void()> NextOther() {
    const std::lock_guard lock(mutex_);
    if (others_.empty()) return {};
    std::function<void()> other = std::move(others_.back());
    others_.pop_back();
    return other;
  }

  std::mutex mutex_;
  std::vector<std::function<void()>> others_;
  std::set<std::string> held_;
  std::set<std::string> ended_;
  absl::Duration age_;
  std::atomic<int> sold_out_line_{-1};
};

// A cart with two mugs; any other is empty.
class CartStore final : public cart::Carts::Service {
  grpc::Status GetCart(grpc::ServerContext*, const cart::GetCartRequest* request,
                       cart::Cart* response) override {
    if (request->cart_id() != "crt_full") return grpc::Status::OK;
    cart::CartItem* item = response->add_items();
    item->set_sku("MUG");
    item->set_qty(2);
    return grpc::Status::OK;
  }
};

class CheckoutTest : public ::testing::Test {
 protected:
  CheckoutTest() {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&catalogue_);
    builder.RegisterService(&warehouse_);
    builder.RegisterService(&cart_store_);
    server_ = builder.BuildAndStart();
    const std::string address = Concat("127.0.0.1:", port);
    const rpc::PeerSettings settings;
    peers_.reset(new Peers{{address, settings}, {address, settings}, {address, settings}});
    pool_.emplace(database_.Connection(), postgres::PoolSettings{});
    look_ups_.emplace("look_up", database_.Connection(), postgres::LaneSettings{.count = 1},
                      ExecuteLookUpBatch, postgres::LaneMode::kRead);
    StoreWith(ExecuteCreateBatch);
  }
  ~CheckoutTest() override {
    look_ups_->Stop();
    lanes_->Stop();
    pool_->Stop();
  }

  void StoreWith(OrderLanes::Execute execute) {
    rpc_.reset();
    checkout_.reset();
    lanes_.emplace("order", database_.Connection(), postgres::LaneSettings{.count = 2}, std::move(execute));
    checkout_.emplace(*peers_, *pool_, *look_ups_, *lanes_, prices_, absl::Hours(72));
    rpc_.emplace(*checkout_, *pool_);
  }

  static pb::CreateOrderRequest RequestOf(const std::vector<std::pair<std::string, int>>& items) {
    pb::CreateOrderRequest request;
    for (const auto& [sku, qty] : items) {
      pb::NewOrderItem* item = request.add_items();
      item->set_sku(sku);
      item->set_qty(qty);
    }
    request.set_payment_method(pb::PAYMENT_METHOD_CARD);
    request.set_email("ada@example.com");
    request.mutable_shipping_address()->set_name("Ada");
    request.mutable_shipping_address()->set_line1("1 Main St");
    request.mutable_shipping_address()->set_city("Berlin");
    request.mutable_shipping_address()->set_country_code("DE");
    return request;
  }
  static RequestContext WithKey(const std::string& key) {
    RequestContext context = testing::ContextOf("acme");
    context.idempotency_key = key;
    return context;
  }

  template <class Request, class Response>
  using Handler = rpc::Reply<Response> (OrderRpc::*)(rpc::Call<Request>);
  // Called through a pointer inside a coroutine, GCC 12 would read `this` of the member function
  // uninitialised.
  template <class Request, class Response>
  static rpc::Reply<Response> Invoke(OrderRpc& service, Handler<Request, Response> handler,
                                     rpc::Call<Request> call) {
    return (service.*handler)(call);
  }
  template <class Request, class Response>
  static rpc::Reply<Response> Handle(OrderRpc& service, Handler<Request, Response> handler, Request request,
                                     RequestContext context) {
    const rpc::Call<Request> call(request, context);
    co_return co_await Invoke(service, handler, call);
  }
  template <class Request, class Response>
  std::future<absl::StatusOr<Response>> Start(Handler<Request, Response> handler, Request request,
                                              RequestContext context) {
    return boost::asio::co_spawn(loop_.io(), Handle(*rpc_, handler, std::move(request), std::move(context)),
                                 boost::asio::use_future);
  }
  absl::StatusOr<pb::Order> Create(pb::CreateOrderRequest request,
                                   RequestContext context = testing::ContextOf("acme")) {
    return Start(&OrderRpc::CreateOrder, std::move(request), std::move(context)).get();
  }
  absl::StatusOr<pb::ListOrdersResponse> List(int page_size, const std::string& page_token,
                                              RequestContext context = testing::ContextOf("acme"),
                                              const std::string& user = "") {
    pb::ListOrdersRequest request;
    request.set_page_size(page_size);
    request.set_page_token(page_token);
    request.set_user_id(user);
    return Start(&OrderRpc::ListOrders, std::move(request), std::move(context)).get();
  }
  std::string Orders() const { return database_.Query("SELECT count(*) FROM orders.orders"); }

  testing::Database database_{"order"};
  testing::Loop loop_;
  Catalogue catalogue_;
  Warehouse warehouse_;
  CartStore cart_store_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<Peers> peers_;
  std::optional<postgres::Pool> pool_;
  std::optional<LookUpLanes> look_ups_;
  std::optional<OrderLanes> lanes_;
  PriceCache prices_{PriceCacheSettings{}, [] { return true; }};
  std::optional<Checkout> checkout_;
  std::optional<OrderRpc> rpc_;
};

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

TEST_F(CheckoutTest, ARepeatIsTheFirstOrder) {
  const absl::StatusOr<pb::Order> first = Create(RequestOf({{"MUG", 2}}), WithKey("key"));
  const absl::StatusOr<pb::Order> again = Create(RequestOf({{"MUG", 2}}), WithKey("key"));
  ASSERT_TRUE(first.ok() && again.ok());
  EXPECT_EQ(again->SerializeAsString(), first->SerializeAsString());
  EXPECT_EQ(catalogue_.asked_nanos(), absl::ToUnixNanos(rpc::FromTimestamp(first->created_at())));
  EXPECT_EQ(ErrorReason(Create(RequestOf({{"MUG", 3}}), WithKey("key")).status()), "IDEMPOTENCY_KEY_REUSED");
  EXPECT_EQ(warehouse_.held().size(), 1u);
  EXPECT_EQ(Orders(), "1");
}

TEST_F(CheckoutTest, ARepeatAfterACrashFindsTheHold) {
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

TEST_F(CheckoutTest, AHoldThatHasEndedIsNotTakenForANewOne) {
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

TEST_F(CheckoutTest, AHoldFromBeforeTheKeyRanOutIsAnotherOrders) {
  warehouse_.Age(absl::Hours(24));
  const absl::StatusOr<pb::Order> order = Create(RequestOf({{"MUG", 2}}), WithKey("key"));
  ASSERT_TRUE(order.ok()) << order.status();
  EXPECT_EQ(database_.Query("SELECT reservation_id FROM orders.orders"), order->order_id());
}

TEST_F(CheckoutTest, RepeatsAtOnceAreOneOrderWithOneHold) {
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

TEST_F(CheckoutTest, WhoseKeyWentToAnotherRequestAsksForNoStockOfItsOwn) {
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

TEST_F(CheckoutTest, AnOrderThatMayBeStoredKeepsItsStock) {
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
