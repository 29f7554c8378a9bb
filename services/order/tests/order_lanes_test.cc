// The order lane against a real database. Free of gRPC, so that it can run under the thread sanitizer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <optional>
#include <set>

#include "libs/base/error.h"
#include "libs/testing/testing.h"
#include "services/order/store/create_batch.h"
#include "services/order/store/idempotency_rows.h"
#include "services/order/store/order_rows.h"

namespace bv::order {
namespace {

using Answer = std::future<absl::StatusOr<Created>>;

class OrderLanesTest : public ::testing::Test {
 protected:
  OrderLanesTest() {
    lanes_.emplace("order", database_.Connection(), postgres::LaneSettings{.count = 2}, ExecuteCreateBatch);
  }

  static Order OrderOf(const std::string& user = "user-1", std::int64_t qty = 2) {
    const Currency usd = Currency::Trusted("USD");
    Order order{.id = OrderId::New(), .user_id = user, .total = {2500 * qty + 7950, usd}};
    order.reservation_id = order.id.str();
    order.items = {
        {ProductId::Trusted("P1"), VariantId::Trusted("V1"), SkuCode::Trusted("MUG"), "Mug, \"blue\"", qty,
         2500},
        {ProductId::Trusted("P2"), VariantId::Trusted("V2"), SkuCode::Trusted("TENT"), "Tent", 1, 7950}};
    order.shipping_address = {
        .name = "Ada {L}", .line1 = "1, Main \\ St", .city = "Berlin", .country = CountryCode::Trusted("DE")};
    order.email = Email::Trusted("ada@example.com");
    return order;
  }
  static CreateCommand CommandOf(Order order, const std::string& key = "", const std::string& request = "") {
    CreateCommand command{.order = std::move(order), .key_hash = key, .request_hash = request};
    return command;
  }

  static async::Task<absl::StatusOr<Created>> SubmitTo(OrderLanes& lanes, std::string key,
                                                       CreateCommand command, RequestContext context) {
    co_return co_await lanes.Submit(key, std::move(command), std::move(context));
  }
  Answer Start(OrderLanes& lanes, CreateCommand command, const std::string& tenant = "acme") {
    RequestContext context = testing::ContextOf(tenant, command.order.user_id);
    const std::string key = command.key_hash.empty() ? command.order.id.str() : command.key_hash;
    return boost::asio::co_spawn(loop_.io(), SubmitTo(lanes, key, std::move(command), std::move(context)),
                                 boost::asio::use_future);
  }
  absl::StatusOr<Created> Create(CreateCommand command, const std::string& tenant = "acme") {
    return Start(*lanes_, std::move(command), tenant).get();
  }

  // What `read` returns in a session that sees `tenant`.
  template <class Read>
  auto In(const std::string& tenant, Read read) {
    std::optional<decltype(read(session_))> result;
    const absl::Status status = session_.Read({TenantId::Trusted(tenant)}, [&](postgres::Session& session) {
      result.emplace(read(session));
      return absl::OkStatus();
    });
    EXPECT_TRUE(status.ok()) << status;
    return *std::move(result);
  }
  absl::StatusOr<Order> Read(const OrderId& id, const std::string& user = "",
                             const std::string& tenant = "acme") {
    return In(tenant, [&](postgres::Session& session) {
      return ReadOrder(session, TenantId::Trusted(tenant), id, user);
    });
  }
  std::string Count(const std::string& table) const {
    return database_.Query("SELECT count(*) FROM " + table);
  }
  // Orders, items, lines of history, events.
  std::string Counts() const {
    return Count("orders.orders") + " " + Count("orders.order_items") + " " +
           Count("orders.order_status_history") + " " + Count("outbox.event");
  }

  testing::Database database_{"order"};
  testing::Loop loop_;
  postgres::Session session_{database_.Connection(), postgres::Plans::kDefault};
  std::optional<OrderLanes> lanes_;
};

TEST_F(OrderLanesTest, StoresOrderItemsHistoryAndEvent) {
  const Order order = OrderOf();
  const absl::StatusOr<Created> created = Create(CommandOf(order));
  ASSERT_TRUE(created.ok()) << created.status();
  EXPECT_EQ(created->id, order.id);
  EXPECT_FALSE(created->repeated);
  EXPECT_EQ(Counts(), "1 2 1 1");
  EXPECT_EQ(database_.Query("SELECT concat_ws(' ', version, status, payment_status, fulfillment_status, "
                            "actor, reason) FROM orders.order_status_history"),
            "1 PENDING PENDING UNFULFILLED user-1 CREATED");
  EXPECT_EQ(database_.Query("SELECT (extract(epoch FROM created_at) * 1e6)::bigint FROM orders.orders"),
            std::to_string(absl::ToUnixMicros(created->created_at)));
}

TEST_F(OrderLanesTest, TheEventIsTheCanonicalExample) {
  const Order order = OrderOf("USER-9");
  ASSERT_TRUE(Create(CommandOf(order)).ok());
  const auto event = [&](const std::string& expression) {
    return database_.Query("SELECT " + expression + " FROM outbox.event");
  };
  EXPECT_EQ(event("aggregatetype || ' ' || type"), "ecommerce.order.order ecommerce.order.order.created.v1");
  EXPECT_EQ(event("aggregateid"), order.id.str());
  EXPECT_EQ(event("aggregate_version"), "1");
  EXPECT_EQ(
      event("payload"),
      R"({"eventId":")" + event("id") + R"(","eventType":"ecommerce.order.order.created.v1","occurredAt":")" +
          event("to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')") +
          R"(","producer":"order-service","traceId":"4bf92f3577b34da6a3ce929d0e0e4736","correlationId":"correlation-1",)"
          R"("schemaVersion":"1.1","partitionKey":")" +
          order.id.str() + R"(","payload":{"orderId":")" + order.id.str() +
          R"(","userId":"USER-9","totalAmount":129.50,"currency":"USD",)"
          R"("items":[{"productId":"P1","qty":2,"price":25.00},{"productId":"P2","qty":1,"price":79.50}],"storeCode":"default"}})");
  EXPECT_EQ(event("occurred_at = (SELECT created_at FROM orders.orders)"), "t");
}

TEST_F(OrderLanesTest, ReadsWhatWasStored) {
  Order order = OrderOf();
  order.payment_method = PaymentMethod::kCashOnDelivery;
  order.payment_status = PaymentStatus::kDueOnDelivery;
  order.shipping_address.phone = Phone::Trusted("+4930123456");
  ASSERT_TRUE(Create(CommandOf(order)).ok());
  const absl::StatusOr<Order> read = Read(order.id);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->id, order.id);
  EXPECT_EQ(read->user_id, "user-1");
  EXPECT_EQ(read->status, Status::kPending);
  EXPECT_EQ(read->payment_status, PaymentStatus::kDueOnDelivery);
  EXPECT_EQ(read->payment_method, PaymentMethod::kCashOnDelivery);
  EXPECT_EQ(read->fulfillment_status, FulfillmentStatus::kUnfulfilled);
  EXPECT_EQ(read->total, order.total);
  EXPECT_EQ(read->email, order.email);
  EXPECT_EQ(read->version, 1);
  EXPECT_EQ(read->created_at, read->updated_at);
  EXPECT_EQ(read->shipping_address.name, "Ada {L}");
  EXPECT_EQ(read->shipping_address.line1, "1, Main \\ St");
  EXPECT_EQ(read->shipping_address.line2, "");
  EXPECT_EQ(read->shipping_address.country.str(), "DE");
  EXPECT_EQ(read->shipping_address.phone, order.shipping_address.phone);
  ASSERT_EQ(read->items.size(), 2u);
  EXPECT_EQ(read->items[0].title, "Mug, \"blue\"");
  EXPECT_EQ(read->items[0].variant.str(), "V1");
  EXPECT_EQ(read->items[1].sku.str(), "TENT");
  EXPECT_EQ(read->items[1].price, 7950);
}

TEST_F(OrderLanesTest, FindsOnlyTheCallersOrders) {
  const Order order = OrderOf("user-1");
  ASSERT_TRUE(Create(CommandOf(order)).ok());
  EXPECT_TRUE(Read(order.id, "user-1").ok());
  for (const absl::Status& status : {Read(order.id, "user-2").status(), Read(order.id, "", "globex").status(),
                                     Read(OrderId::New()).status()}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
    EXPECT_EQ(ErrorReason(status), "ORDER_NOT_FOUND");
  }
}

TEST_F(OrderLanesTest, TheSameKeyAndRequestIsTheFirstOrder) {
  const Order first = OrderOf();
  ASSERT_TRUE(Create(CommandOf(first, "key", "request")).ok());
  const absl::StatusOr<Created> again = Create(CommandOf(OrderOf(), "key", "request"));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->repeated);
  EXPECT_EQ(again->id, first.id);
  EXPECT_EQ(Counts(), "1 2 1 1");
}

TEST_F(OrderLanesTest, TheSameKeyForAnotherRequestIsRefused) {
  ASSERT_TRUE(Create(CommandOf(OrderOf(), "key", "request")).ok());
  const absl::Status status = Create(CommandOf(OrderOf(), "key", "another")).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ErrorReason(status), "IDEMPOTENCY_KEY_REUSED");
  EXPECT_EQ(Counts(), "1 2 1 1");
}

TEST_F(OrderLanesTest, AKeyBelongsToItsUserAndTenant) {
  ASSERT_TRUE(Create(CommandOf(OrderOf("user-1"), "key", "request")).ok());
  const absl::StatusOr<Created> of_other_user = Create(CommandOf(OrderOf("user-2"), "key", "request"));
  const absl::StatusOr<Created> of_other_tenant =
      Create(CommandOf(OrderOf("user-1"), "key", "request"), "globex");
  ASSERT_TRUE(of_other_user.ok() && of_other_tenant.ok());
  EXPECT_FALSE(of_other_user->repeated);
  EXPECT_FALSE(of_other_tenant->repeated);
  EXPECT_EQ(Counts(), "3 6 3 3");
}

TEST_F(OrderLanesTest, AKeyCountsForADay) {
  ASSERT_TRUE(Create(CommandOf(OrderOf(), "key", "request")).ok());
  database_.Query("UPDATE orders.idempotency_record SET created_at = now() - interval '23 hours 59 minutes'");
  EXPECT_TRUE(Create(CommandOf(OrderOf(), "key", "request"))->repeated);
  database_.Query("UPDATE orders.idempotency_record SET created_at = now() - interval '24 hours 1 minute'");
  const auto record = [this] {
    return In("acme", [](postgres::Session& session) {
      return ReadIdempotencyRecord(session, TenantId::Trusted("acme"), "user-1", "key");
    });
  };
  EXPECT_FALSE(record().has_value());
  const Order fresh = OrderOf();
  const absl::StatusOr<Created> created = Create(CommandOf(fresh, "key", "another"));
  ASSERT_TRUE(created.ok()) << created.status();
  EXPECT_FALSE(created->repeated);
  ASSERT_TRUE(record().has_value());
  EXPECT_EQ(record()->order, fresh.id);
  EXPECT_EQ(record()->request_hash, "another");
}

// A double click, and a client that repeats on two replicas: one order, and everybody hears of it.
TEST_F(OrderLanesTest, OfManyWithTheSameKeyOneWins) {
  OrderLanes other("order", database_.Connection(), {.count = 2}, ExecuteCreateBatch);
  for (int round = 0; round < 20; ++round) {
    const std::string key = "key-" + std::to_string(round);
    std::vector<Answer> answers;
    for (int i = 0; i < 16; ++i)
      answers.push_back(Start(i % 2 == 0 ? *lanes_ : other, CommandOf(OrderOf(), key, "request")));
    std::set<OrderId> ids;
    int fresh = 0;
    for (Answer& answer : answers) {
      const absl::StatusOr<Created> created = answer.get();
      ASSERT_TRUE(created.ok()) << created.status();
      ids.insert(created->id);
      fresh += created->repeated ? 0 : 1;
    }
    EXPECT_EQ(ids.size(), 1u);
    EXPECT_EQ(fresh, 1);
  }
  EXPECT_EQ(Counts(), "20 40 20 20");
}

TEST_F(OrderLanesTest, ABatchWhoseCommitWasNotHeardWritesOnce) {
  std::atomic<int> cuts{1};
  OrderLanes lanes("order", database_.Connection(), {.count = 1},
                   [&](postgres::Session& session, std::span<OrderLanes::Item* const> items) {
                     const absl::Status status = ExecuteCreateBatch(session, items);
                     if (cuts-- > 0) database_.CommitUnheard(session);
                     return status;
                   });
  for (const char* key : {"", "key"}) {
    cuts = 1;
    const Order order = OrderOf();
    const absl::StatusOr<Created> created = Start(lanes, CommandOf(order, key, "request")).get();
    ASSERT_TRUE(created.ok()) << created.status();
    EXPECT_EQ(created->id, order.id);
    EXPECT_FALSE(created->repeated) << "the stock that was reserved for it is its own";
    EXPECT_EQ(created->created_at, Read(order.id)->created_at) << "as it was stored, not as it was found";
  }
  EXPECT_EQ(Counts(), "2 4 2 2");
}

TEST_F(OrderLanesTest, OnlyTheOrderThatCannotBeStoredFails) {
  std::vector<Answer> answers;
  for (int i = 0; i < 20; ++i)
    answers.push_back(Start(*lanes_, CommandOf(OrderOf("user-1", i == 7 ? 0 : 1))));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(answers[static_cast<std::size_t>(i)].get().ok(), i != 7) << i;
  EXPECT_EQ(Counts(), "19 38 19 19");
}

TEST_F(OrderLanesTest, ListsNewestFirstPageByPage) {
  std::vector<std::string> expected;
  for (int i = 0; i < 45; ++i) {
    const Order order = OrderOf("user-1");
    expected.insert(expected.begin(), order.id.str());
    ASSERT_TRUE(Create(CommandOf(order)).ok());
    if (i % 10 == 0) {
      ASSERT_TRUE(Create(CommandOf(OrderOf("user-2"))).ok());
    }
  }
  std::vector<std::string> listed;
  std::vector<std::size_t> pages;
  for (std::string before; pages.empty() || pages.back() == 20;) {
    const std::vector<Order> page = In("acme", [&](postgres::Session& session) {
      return ListOrders(session, TenantId::Trusted("acme"), "user-1", StoreCode(), before, 20);
    });
    pages.push_back(page.size());
    for (const Order& order : page) {
      listed.push_back(order.id.str());
      EXPECT_EQ(order.items.size(), 2u);
    }
    before = listed.back();
  }
  EXPECT_THAT(pages, ::testing::ElementsAre(20, 20, 5));
  EXPECT_EQ(listed, expected);
  EXPECT_TRUE(In("globex", [](postgres::Session& session) {
                return ListOrders(session, TenantId::Trusted("globex"), "user-1", StoreCode(), "", 20);
              }).empty());
}

// What the code forgets, the database still holds: a session under the service's own role, without a tenant
// or with another one.
TEST_F(OrderLanesTest, RowsAreHiddenFromRawSql) {
  ASSERT_TRUE(Create(CommandOf(OrderOf(), "key", "request")).ok());
  static constexpr postgres::Statement kCounts{"test_counts", R"sql(
    SELECT (SELECT count(*) FROM orders) + (SELECT count(*) FROM order_items) + (SELECT count(*) FROM order_status_history)
         + (SELECT count(*) FROM idempotency_record)
  )sql"};
  const auto count = [](postgres::Session& session) { return session.Exec(kCounts)[0][0].as<int>(); };
  EXPECT_EQ(In("acme", count), 5);
  EXPECT_EQ(In("globex", count), 0);
}

}  // namespace
}  // namespace bv::order
