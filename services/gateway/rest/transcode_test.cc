#include "services/gateway/rest/transcode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "commerce/inventory/v1/service.pb.h"
#include "commerce/order/v1/service.pb.h"
#include "commerce/product/v1/service.pb.h"
#include "libs/base/error.h"

namespace bv::gateway {
namespace {

namespace inventory = commerce::inventory::v1;
namespace order = commerce::order::v1;
namespace product = commerce::product::v1;

class Transcode : public testing::Test {
 protected:
  absl::Status Read(std::string_view method, std::string_view path, std::string_view query,
                    std::string_view body, google::protobuf::Message& message) {
    const Match match = table_.Find(method, path);
    EXPECT_NE(match.route, nullptr) << path;
    return ReadRequest(http::Request{.method = method, .path = path, .query = query, .body = body}, match,
                       message);
  }

  const RouteTable table_ = *RouteTable::Build({{.contract = product::Product::descriptor()->file()},
                                                {.contract = order::Order::descriptor()->file()},
                                                {.contract = inventory::StockStatus::descriptor()->file()}});
};

TEST_F(Transcode, ReadsPathAndBody) {
  inventory::AdjustRequest request;
  ASSERT_TRUE(
      Read("POST", "/api/v1/inventory/MUG%201/adjustments", "", R"({"delta":-3,"reason":"DAMAGED"})", request)
          .ok());
  EXPECT_EQ(request.sku(), "MUG 1");
  EXPECT_EQ(request.delta(), -3);
}

TEST_F(Transcode, ThePathWinsOverTheBody) {
  inventory::AdjustRequest request;
  ASSERT_TRUE(Read("POST", "/api/v1/inventory/A/adjustments", "", R"({"sku":"A","delta":1})", request).ok());
  EXPECT_EQ(request.sku(), "A");
  request.Clear();
  const absl::Status status =
      Read("POST", "/api/v1/inventory/A/adjustments", "", R"({"sku":"B","delta":1})", request);
  EXPECT_EQ(GetErrorDetail(status).field, "sku");
  EXPECT_EQ(ErrorReason(status), "INVALID_VALUE");
}

TEST_F(Transcode, ReadsParameters) {
  product::ListProductsRequest request;
  ASSERT_TRUE(Read("GET", "/api/v1/products", "pageSize=5&title=a+%22b%22&&status=DRAFT", "", request).ok());
  EXPECT_EQ(request.page_size(), 5);
  EXPECT_EQ(request.title(), "a \"b\"");
  EXPECT_EQ(request.status(), product::PRODUCT_STATUS_DRAFT);
}

TEST_F(Transcode, AnAmountMayComeBeforeItsCurrency) {
  for (const char* query : {"minPrice=1.50&currency=USD&attributes=a:b&attributes=c:d",
                            "attributes=a:b&currency=USD&attributes=c:d&minPrice=1.50"}) {
    product::SearchProductsRequest request;
    const absl::Status status = Read("GET", "/api/v1/products:search", query, "", request);
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_EQ(request.min_price(), 150);
    EXPECT_EQ(request.attributes(0), "a:b");
    EXPECT_EQ(request.attributes(1), "c:d");
  }
  product::SearchProductsRequest request;
  EXPECT_EQ(ErrorReason(Read("GET", "/api/v1/products:search", "%66ields=q", "", request)), "UNKNOWN_FIELD");
}

TEST_F(Transcode, NamesABadParameter) {
  const std::tuple<const char*, const char*, const char*> bad[] = {
      {"nope=1", "UNKNOWN_FIELD", "nope"},           {"pageSize", "INVALID_VALUE", "pageSize"},
      {"pageSize=x", "WRONG_TYPE", "pageSize"},      {"pageSize=1&pageSize=1", "DUPLICATE_FIELD", "pageSize"},
      {"page_size=1", "UNKNOWN_FIELD", "page_size"}, {"title=%zz", "MALFORMED_QUERY", ""},
      {"title=%ff", "INVALID_VALUE", "title"},       {"=", "UNKNOWN_FIELD", ""}};
  for (const auto& [query, reason, field] : bad) {
    product::ListProductsRequest request;
    const absl::Status status = Read("GET", "/api/v1/products", query, "", request);
    EXPECT_EQ(ErrorReason(status), reason) << query;
    EXPECT_EQ(GetErrorDetail(status).field, field) << query;
  }
  order::GetOrderRequest by_path;
  EXPECT_EQ(ErrorReason(Read("GET", "/api/v1/orders/a", "orderId=b", "", by_path)), "UNKNOWN_FIELD");
  order::CreateOrderRequest by_body;
  EXPECT_EQ(ErrorReason(Read("POST", "/api/v1/orders", "email=b", "{}", by_body)), "UNKNOWN_FIELD");
}

TEST_F(Transcode, RefusesABodyThatHasNoPlace) {
  order::GetOrderRequest request;
  EXPECT_EQ(ErrorReason(Read("GET", "/api/v1/orders/a", "", "{}", request)), "UNEXPECTED_BODY");
}

TEST_F(Transcode, WritesStatusLocationAndBody) {
  order::Order order;
  order.set_order_id("ord 1");
  http::Response response;
  ASSERT_TRUE(WriteResponse(*table_.Find("POST", "/api/v1/orders").route, order, response).ok());
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(response.header_lines(), "Location: /api/v1/orders/ord%201\r\n");
  EXPECT_THAT(response.body, testing::StartsWith(R"({"orderId":"ord 1")"));
}

TEST(IsJson, LooksAtTheTypeAlone) {
  EXPECT_TRUE(IsJson("application/json"));
  EXPECT_TRUE(IsJson("Application/JSON ; charset=utf-8"));
  EXPECT_FALSE(IsJson(""));
  EXPECT_FALSE(IsJson("text/plain"));
  EXPECT_FALSE(IsJson("application/jsonx"));
}

}  // namespace
}  // namespace bv::gateway
