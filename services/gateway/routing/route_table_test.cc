#include "services/gateway/routing/route_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "commerce/cart/v1/service.pb.h"
#include "commerce/inventory/v1/service.pb.h"
#include "commerce/order/v1/service.pb.h"
#include "commerce/product/v1/service.pb.h"
#include "libs/base/error.h"

namespace bv::gateway {
namespace {

namespace cart = commerce::cart::v1;
namespace inventory = commerce::inventory::v1;
namespace order = commerce::order::v1;
namespace product = commerce::product::v1;
using testing::ElementsAre;
using testing::HasSubstr;

RouteTable Table() {
  auto table = RouteTable::Build({{.contract = product::Product::descriptor()->file()},
                                  {.contract = cart::Cart::descriptor()->file()},
                                  {.contract = order::Order::descriptor()->file()},
                                  {.contract = inventory::StockStatus::descriptor()->file()}});
  EXPECT_TRUE(table.ok()) << table.status();
  return *std::move(table);
}

std::string Found(const RouteTable& table, std::string_view method, std::string_view path) {
  const Match match = table.Find(method, path);
  return match.route == nullptr ? "none" : match.route->method->name();
}

TEST(RouteTable, HasEveryAnnotatedMethodOfTheContracts) {
  const RouteTable table = Table();
  EXPECT_EQ(Found(table, "POST", "/api/v1/orders"), "CreateOrder");
  EXPECT_EQ(Found(table, "GET", "/api/v1/orders"), "ListOrders");
  EXPECT_EQ(Found(table, "HEAD", "/api/v1/orders"), "ListOrders");
  EXPECT_EQ(Found(table, "GET", "/api/v1/orders/ord_1"), "GetOrder");
  EXPECT_EQ(Found(table, "PATCH", "/api/v1/products/prd_1"), "UpdateProduct");
  EXPECT_EQ(Found(table, "DELETE", "/api/v1/carts/c/items/s"), "RemoveItem");
  EXPECT_EQ(Found(table, "POST", "/api/v1/inventory/MUG-1/adjustments"), "AdjustStock");
}

TEST(RouteTable, KnowsVerbsFromValuesWithAColon) {
  const RouteTable table = Table();
  EXPECT_EQ(Found(table, "POST", "/api/v1/carts:merge"), "MergeCart");
  EXPECT_EQ(Found(table, "POST", "/api/v1/carts:nope"), "none");
  const Match match = table.Find("GET", "/api/v1/orders/a:b");
  ASSERT_NE(match.route, nullptr);
  EXPECT_THAT(match.variables, ElementsAre("a:b"));
}

TEST(RouteTable, BindsTheVariablesInOrder) {
  const RouteTable table = Table();
  const Match match = table.Find("PUT", "/api/v1/carts/crt_1/items/A%2FB");
  ASSERT_NE(match.route, nullptr);
  EXPECT_THAT(match.variables, ElementsAre("crt_1", "A%2FB"));
  EXPECT_EQ(match.route->name, "PUT /api/v1/carts/{cart_id}/items/{sku}");
}

TEST(RouteTable, FindsNothingBesideTheRoutes) {
  const RouteTable table = Table();
  for (const char* path : {"", "/", "//", "/api/v1", "/api/v1/orders/", "/api/v1//orders",
                           "/api/v1/orders/a/b", "/api/v1/ordersx", "/API/v1/orders",
                           "/api/v1/carts//items/s", ":", "/:", "/api/v1/orders/:", "/api/v1/:merge"}) {
    const Match match = table.Find("GET", path);
    EXPECT_TRUE(match.route == nullptr || match.route->method->name() == "GetOrder") << path;
  }
  EXPECT_EQ(Found(table, "GET", "/api/v1/orders/"), "none");
}

TEST(RouteTable, NamesTheMethodsThatAPathHas) {
  const RouteTable table = Table();
  EXPECT_EQ(table.Find("DELETE", "/api/v1/orders").allow, "GET, HEAD, POST, OPTIONS");
  EXPECT_EQ(table.Find("GET", "/api/v1/carts:merge").allow, "POST, OPTIONS");
  EXPECT_EQ(table.Find("GET", "/nope").allow, "");
}

TEST(RouteTable, RefusesTwoMethodsOfOnePath) {
  const auto table = RouteTable::Build({{.contract = inventory::StockStatus::descriptor()->file()},
                                        {.contract = inventory::StockStatus::descriptor()->file()}});
  EXPECT_THAT(std::string(table.status().message()),
              HasSubstr("have the same route GET /api/v1/reservations/{reservation_id}"));
}

class CompileRouteTest : public testing::Test {
 protected:
  absl::StatusOr<Route> Compile() { return CompileRoute(method_, rule_, nullptr); }

  const google::protobuf::MethodDescriptor& method_ =
      *order::Order::descriptor()->file()->FindServiceByName("Orders")->FindMethodByName("CreateOrder");
  google::api::HttpRule rule_;
};

TEST_F(CompileRouteTest, ReadsTheOptionsOfTheMethod) {
  rule_.set_post("/api/v1/orders");
  rule_.set_body("*");
  const auto route = Compile();
  ASSERT_TRUE(route.ok()) << route.status();
  EXPECT_EQ(route->success_status, 201);
  EXPECT_EQ(route->body, Body::kWholeRequest);
  EXPECT_FALSE(route->is_public);
  EXPECT_THAT(route->roles, ElementsAre(Role::kCustomer, Role::kStaff, Role::kAdmin));
  ASSERT_EQ(route->location.size(), 2u);
  EXPECT_EQ(route->location[0].text, "/api/v1/orders/");
  EXPECT_EQ(route->location[1].field->name(), "order_id");
}

TEST_F(CompileRouteTest, TakesAFieldAsBody) {
  rule_.set_put("/x/{cart_id}");
  rule_.set_body("shipping_address");
  const auto route = Compile();
  ASSERT_TRUE(route.ok()) << route.status();
  EXPECT_EQ(route->body_field->name(), "shipping_address");
}

TEST_F(CompileRouteTest, RefusesWhatItCannotServe) {
  for (const char* path : {"", "x", "/", "/x//y", "/{nope}", "/{items}", "/{shipping_address}", "/x-{email}",
                           "/{email=**}", "/*", "/**"}) {
    rule_.set_post(path);
    EXPECT_EQ(ErrorReason(Compile().status()), "INVALID_ROUTE") << path;
  }
  rule_.set_post("/x");
  for (const char* body : {"nope", "email", "items"}) {
    rule_.set_body(body);
    EXPECT_EQ(ErrorReason(Compile().status()), "INVALID_ROUTE") << body;
  }
}

}  // namespace
}  // namespace bv::gateway
