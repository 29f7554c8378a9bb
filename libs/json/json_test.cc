#include "libs/json/json.h"

#include <gmock/gmock.h>
#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/util/message_differencer.h>
#include <google/rpc/error_details.pb.h>
#include <gtest/gtest.h>

#include <random>

#include "commerce/inventory/v1/service.pb.h"
#include "commerce/order/v1/service.pb.h"
#include "commerce/product/v1/service.pb.h"
#include "libs/base/error.h"

namespace bv::json {
namespace {

namespace inventory = commerce::inventory::v1;
namespace order = commerce::order::v1;
namespace product = commerce::product::v1;

std::string Written(const google::protobuf::Message& message) {
  std::string text;
  const absl::Status status = Append(message, text);
  return status.ok() ? text : std::string(status.message());
}

order::Order SomeOrder() {
  order::Order order;
  order.set_order_id("ord_1");
  order.set_status(order::ORDER_STATUS_PENDING);
  order.set_total_amount(12950);
  order.set_currency("USD");
  order::OrderItem& item = *order.add_items();
  item.set_sku("MUG-1");
  item.set_qty(2);
  item.set_price(6475);
  item.set_title("A \"mug\"\n\x01 ☕");
  order.mutable_created_at()->set_seconds(1'767'225'600);
  order.mutable_created_at()->set_nanos(120'000'999);
  return order;
}

TEST(JsonAppend, WritesTheConventionsOfTheApi) {
  EXPECT_EQ(
      Written(SomeOrder()),
      R"({"orderId":"ord_1","status":"PENDING","userId":"","totalAmount":129.50,"currency":"USD",)"
      R"("items":[{"productId":"","sku":"MUG-1","qty":2,"price":64.75,"title":"A \"mug\"\n\u0001 ☕",)"
      R"("vendorId":""}],"email":"","createdAt":"2026-01-01T00:00:00.120Z","version":0,"cancelReason":"",)"
      R"("shipments":[],"vendorParts":[],"storeCode":""})");
}

TEST(JsonAppend, WritesAnAmountWithTheDigitsOfItsCurrency) {
  product::Variant variant;
  variant.set_price(-5);
  for (const auto& [currency, text] : {std::pair{"USD", "-0.05"}, {"JPY", "-5"}, {"KWD", "-0.005"}}) {
    variant.set_currency(currency);
    EXPECT_THAT(Written(variant), testing::HasSubstr(std::string(R"("price":)") + text + ","));
  }
}

TEST(JsonAppend, LeavesOutAnAbsentOptionalFieldOnly) {
  product::Variant variant;
  EXPECT_EQ(Written(variant), R"({"variantId":"","sku":"","price":0,"currency":""})");
  variant.set_currency("EUR");
  variant.set_compare_at_price(0);
  EXPECT_EQ(Written(variant),
            R"({"variantId":"","sku":"","price":0.00,"currency":"EUR","compareAtPrice":0.00})");
}

TEST(JsonAppend, RefusesAnAmountThatCannotBeReadAndLeavesTheTextAsItWas) {
  product::Variant variant;
  variant.set_price(1);
  std::string text = "before";
  EXPECT_EQ(Append(variant, text).code(), absl::StatusCode::kInternal);
  variant.set_currency("ZZZ");
  EXPECT_EQ(Append(variant, text).code(), absl::StatusCode::kInternal);
  EXPECT_EQ(text, "before");
}

TEST(JsonAppend, RefusesAStringThatIsNotUtf8) {
  order::OrderItem item;
  item.set_sku("\xff");
  std::string text;
  EXPECT_EQ(Append(item, text).code(), absl::StatusCode::kInternal);
}

TEST(JsonAppend, WritesMicrosecondsAndWholeSeconds) {
  order::Order order;
  order.mutable_created_at()->set_seconds(-1);
  order.mutable_created_at()->set_nanos(1000);
  order.mutable_updated_at()->set_seconds(253'402'300'799);
  EXPECT_THAT(
      Written(order),
      testing::HasSubstr(R"("createdAt":"1969-12-31T23:59:59.000001Z","updatedAt":"9999-12-31T23:59:59Z")"));
  order.mutable_updated_at()->set_seconds(253'402'300'800);
  EXPECT_THAT(Written(order), testing::HasSubstr("years 1 to 9999"));
}

TEST(JsonParse, ReadsWhatWasWritten) {
  order::Order original = SomeOrder();
  original.mutable_created_at()->set_nanos(120'000'000);
  original.mutable_shipping_address()->set_name("Ada");
  order::Order read;
  ASSERT_TRUE(Parse(Written(original), read).ok());
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(original, read)) << read.DebugString();
}

TEST(JsonParse, ReadsAndWritesMaps) {
  google::rpc::ErrorInfo info;
  ASSERT_TRUE(Parse(R"({"reason":"R","metadata":{"a":"1","b":"2"}})", info).ok());
  EXPECT_EQ(info.metadata().at("b"), "2");
  google::rpc::ErrorInfo again;
  ASSERT_TRUE(Parse(Written(info), again).ok());
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(info, again));
  EXPECT_EQ(GetErrorDetail(Parse(R"({"metadata":{"a":"1","a":"2"}})", again)).field, "metadata.a");
}

// A map's own order differs from one message to the next.
TEST(JsonWrite, MapsAreInTheOrderOfTheirKeys) {
  for (int i = 0; i < 20; ++i) {
    google::rpc::ErrorInfo info;
    for (const char* key : {"d", "b", "a", "c"}) (*info.mutable_metadata())[key] = key;
    EXPECT_THAT(Written(info), testing::HasSubstr(R"("metadata":{"a":"a","b":"b","c":"c","d":"d"})"));
  }
}

TEST(JsonParse, ReadsAmountsExactlyWhereverTheCurrencyStands) {
  product::CreateProductRequest request;
  ASSERT_TRUE(
      Parse(
          R"({"variants":[{"price":90071992547409.93,"sku":"A","currency":"USD"},{"currency":"KWD","price":0.001},
                        {"price":1,"currency":"USD","compareAtPrice":1.5}]})",
          request)
          .ok());
  EXPECT_EQ(request.variants(0).price(), 9'007'199'254'740'993);
  EXPECT_EQ(request.variants(1).price(), 1);
  EXPECT_EQ(request.variants(2).compare_at_price(), 150);
}

TEST(JsonParse, TakesTheCurrencyOfTheEnclosingMessage) {
  order::Order order;
  ASSERT_TRUE(Parse(R"({"items":[{"price":25.00}],"currency":"JPY","totalAmount":100})", order).ok() ==
              false);
  order.Clear();
  ASSERT_TRUE(Parse(R"({"items":[{"price":25.5}],"currency":"USD"})", order).ok());
  EXPECT_EQ(order.items(0).price(), 2550);
}

TEST(JsonParse, ZeroNeedsNoCurrency) {
  product::VariantChange change;
  ASSERT_TRUE(Parse(R"({"sku":"A","compareAtPrice":0.00})", change).ok());
  EXPECT_TRUE(change.has_compare_at_price());
}

TEST(JsonParse, ReadsTimesWithAnyOffset) {
  order::Order order;
  ASSERT_TRUE(
      Parse(R"({"createdAt":"2026-01-01T01:00:00.1234567+01:00","updatedAt":"1969-12-31T23:59:59.5Z"})",
            order)
          .ok());
  EXPECT_EQ(order.created_at().seconds(), 1'767'225'600);
  EXPECT_EQ(order.created_at().nanos(), 123'456'000);
  EXPECT_EQ(order.updated_at().seconds(), -1);
  EXPECT_EQ(order.updated_at().nanos(), 500'000'000);
}

struct Hostile {
  std::string text;
  std::string reason;
  std::string field;
};

class JsonParseHostile : public testing::TestWithParam<Hostile> {};

TEST_P(JsonParseHostile, IsRefusedAndNamed) {
  order::Order order;
  const absl::Status status = Parse(GetParam().text, order);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << GetParam().text;
  EXPECT_EQ(ErrorReason(status), GetParam().reason) << status;
  EXPECT_EQ(GetErrorDetail(status).field, GetParam().field) << status;
}

std::string Repeated(std::string_view part, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += part;
  return text;
}

INSTANTIATE_TEST_SUITE_P(
    Malformed, JsonParseHostile,
    testing::Values(Hostile{"", "MALFORMED_JSON", ""}, Hostile{" \n", "MALFORMED_JSON", ""},
                    Hostile{"{", "MALFORMED_JSON", ""}, Hostile{"{}{}", "MALFORMED_JSON", ""},
                    Hostile{"{},", "MALFORMED_JSON", ""}, Hostile{R"({"email":"a",})", "MALFORMED_JSON", ""},
                    Hostile{R"({"email":'a'})", "MALFORMED_JSON", ""},
                    Hostile{"{/**/}", "MALFORMED_JSON", ""},
                    Hostile{R"({"version":01})", "MALFORMED_JSON", ""},
                    Hostile{R"({"version":+1})", "MALFORMED_JSON", ""},
                    Hostile{R"({"version":NaN})", "MALFORMED_JSON", ""},
                    Hostile{R"({"version":1e})", "MALFORMED_JSON", ""},
                    Hostile{R"({"version":)" + std::string(100'000, '9') + "}", "MALFORMED_JSON", ""},
                    Hostile{"\xef\xbb\xbf{}", "MALFORMED_JSON", ""},
                    Hostile{std::string("{}\0garbage", 10), "MALFORMED_JSON", ""},
                    Hostile{"{\"email\":\"\xff\"}", "MALFORMED_JSON", ""},
                    Hostile{"{\"email\":\"\xc0\x80\"}", "MALFORMED_JSON", ""},
                    Hostile{"{\"email\":\"\n\"}", "MALFORMED_JSON", ""},
                    Hostile{R"({"email":"\ud800"})", "MALFORMED_JSON", ""},
                    Hostile{R"({"email":"\udc00"})", "MALFORMED_JSON", ""},
                    Hostile{R"({"email":"\u0000"})", "MALFORMED_JSON", ""},
                    Hostile{R"({"email":"\x"})", "MALFORMED_JSON", ""},
                    Hostile{Repeated("[", 1'000'000), "MALFORMED_JSON", ""},
                    Hostile{Repeated("{\"items\":", 100'000), "MALFORMED_JSON", ""},
                    Hostile{R"({"items":[)" + Repeated("{},", 30'000) + "{}]}", "MALFORMED_JSON", ""}));

INSTANTIATE_TEST_SUITE_P(
    WellFormed, JsonParseHostile,
    testing::Values(
        Hostile{"[]", "WRONG_TYPE", ""}, Hostile{"null", "WRONG_TYPE", ""}, Hostile{"1", "WRONG_TYPE", ""},
        Hostile{R"({"nope":1})", "UNKNOWN_FIELD", "nope"}, Hostile{R"({"":1})", "UNKNOWN_FIELD", ""},
        Hostile{R"({"order_id":"x"})", "UNKNOWN_FIELD", "order_id"},
        Hostile{R"({"items":[{},{"nope":1}]})", "UNKNOWN_FIELD", "items[1].nope"},
        Hostile{R"({"email":"a","email":"a"})", "DUPLICATE_FIELD", "email"},
        Hostile{R"({"email":"a","em\u0061il":"a"})", "DUPLICATE_FIELD", "email"},
        Hostile{R"({"email":null})", "WRONG_TYPE", "email"}, Hostile{R"({"email":1})", "WRONG_TYPE", "email"},
        Hostile{R"({"email":["a"]})", "WRONG_TYPE", "email"},
        Hostile{R"({"items":{}})", "WRONG_TYPE", "items"},
        Hostile{R"({"items":[[]]})", "WRONG_TYPE", "items[0]"},
        Hostile{R"({"items":[null]})", "WRONG_TYPE", "items[0]"},
        Hostile{R"({"items":[{"qty":"2"}]})", "WRONG_TYPE", "items[0].qty"},
        Hostile{R"({"items":[{"qty":2.0}]})", "WRONG_TYPE", "items[0].qty"},
        Hostile{R"({"items":[{"qty":1e3}]})", "WRONG_TYPE", "items[0].qty"},
        Hostile{R"({"items":[{"qty":true}]})", "WRONG_TYPE", "items[0].qty"},
        Hostile{R"({"items":[{"qty":9223372036854775808}]})", "INVALID_VALUE", "items[0].qty"},
        Hostile{R"({"items":[{"qty":-9223372036854775809}]})", "INVALID_VALUE", "items[0].qty"},
        Hostile{R"({"items":[{"qty":)" + std::string(300, '9') + "}]}", "INVALID_VALUE", "items[0].qty"},
        Hostile{R"({"totalAmount":"129.50","currency":"USD"})", "WRONG_TYPE", "totalAmount"},
        Hostile{R"({"totalAmount":129.505,"currency":"USD"})", "INVALID_VALUE", "totalAmount"},
        Hostile{R"({"totalAmount":1e3,"currency":"USD"})", "INVALID_VALUE", "totalAmount"},
        Hostile{R"({"totalAmount":1e308,"currency":"USD"})", "INVALID_VALUE", "totalAmount"},
        Hostile{R"({"totalAmount":92233720368547758.08,"currency":"USD"})", "INVALID_VALUE", "totalAmount"},
        Hostile{R"({"totalAmount":1})", "INVALID_VALUE", "totalAmount"},
        Hostile{R"({"totalAmount":1,"currency":""})", "INVALID_VALUE", "totalAmount"},
        Hostile{R"({"totalAmount":1,"currency":"usd"})", "INVALID_VALUE", "currency"},
        Hostile{R"({"totalAmount":1,"currency":5})", "WRONG_TYPE", "currency"},
        Hostile{R"({"items":[{"price":1}]})", "INVALID_VALUE", "items[0].price"},
        Hostile{R"({"status":"ORDER_STATUS_PAID"})", "INVALID_VALUE", "status"},
        Hostile{R"({"status":"UNSPECIFIED"})", "INVALID_VALUE", "status"},
        Hostile{R"({"status":1})", "WRONG_TYPE", "status"},
        Hostile{R"({"createdAt":"2026-13-01T00:00:00Z"})", "INVALID_VALUE", "createdAt"},
        Hostile{R"({"createdAt":"infinite-future"})", "INVALID_VALUE", "createdAt"},
        Hostile{R"({"createdAt":" 2026-01-01T00:00:00Z"})", "INVALID_VALUE", "createdAt"},
        Hostile{R"({"createdAt":0})", "WRONG_TYPE", "createdAt"}));

TEST(JsonParse, SaysWhatIsWanted) {
  order::Order order;
  EXPECT_EQ(Parse(R"({"status":"SENT"})", order).message(),
            "must be one of PENDING, PAID, FULFILLED, CANCELED");
  EXPECT_EQ(Parse(R"({"email":null})", order).message(), "must be a string, not null");
  EXPECT_THAT(std::string(Parse(R"({"email")", order).message()), testing::HasSubstr("at byte 8"));
}

TEST(JsonParse, RefusesTwoMembersOfAOneof) {
  product::VariantRef ref;
  EXPECT_EQ(GetErrorDetail(Parse(R"({"sku":"a","productId":"b"})", ref)).field, "productId");
}

// Bytes that look like JSON, so that more than the first of them is read.
TEST(JsonParse, SurvivesRandomTexts) {
  std::mt19937 random(20'260'101);
  const std::vector<std::string> parts = {"{",
                                          "}",
                                          "[",
                                          "]",
                                          ":",
                                          ",",
                                          "\"",
                                          "\\",
                                          "\\u00",
                                          "1",
                                          "-",
                                          "e9",
                                          ".",
                                          " ",
                                          "null",
                                          "true",
                                          "\xff",
                                          "☕",
                                          "0",
                                          "\"items\"",
                                          "\"qty\"",
                                          "\"currency\"",
                                          "\"USD\"",
                                          "\"totalAmount\"",
                                          "{\"items\":[{",
                                          "\"createdAt\":\"2026"};
  for (int round = 0; round < 100'000; ++round) {
    std::string text;
    for (auto n = random() % 24; n > 0; --n) text += parts[random() % parts.size()];
    order::Order order;
    const absl::Status status = Parse(text, order);
    ASSERT_TRUE(status.ok() || status.code() == absl::StatusCode::kInvalidArgument) << text;
    if (status.ok()) {
      std::string written;
      ASSERT_TRUE(Append(order, written).ok()) << text;
    }
  }
}

// Found by fuzzing: rapidjson read behind the text, which the address sanitizer sees when the memory ends
// there.
TEST(JsonParse, ReadsNothingBehindACharacterThatIsCutShort) {
  for (const std::size_t bytes : {16u, 31u, 32u, 48u, 64u, 100u}) {
    for (const std::string_view start : {"\xf0", "\xe0", "\xc3", "\xf0\x9f", "\xf0\x9f\x98", "\xff"}) {
      order::CreateOrderRequest request;
      std::string text = "{\"email\":\"";
      text.append(bytes - text.size() - start.size(), 'a').append(start);
      EXPECT_EQ(ErrorReason(Parse(text, request)), "MALFORMED_JSON") << bytes;
    }
  }
}

TEST(JsonParse, SurvivesADamagedDocument) {
  std::mt19937 random(20'260'102);
  const std::string original = Written(SomeOrder());
  for (int round = 0; round < 50'000; ++round) {
    std::string text = original;
    for (auto n = 1 + random() % 4; n > 0; --n) text[random() % text.size()] = static_cast<char>(random());
    text.resize(text.size() - random() % 3);
    order::Order order;
    const absl::Status status = Parse(text, order);
    ASSERT_TRUE(status.ok() || !ErrorReason(status).empty()) << text;
  }
}

TEST(JsonSetFromText, SetsScalarsOfEveryKind) {
  order::Order order;
  EXPECT_TRUE(SetFromText("orderId", "ord 1", order).ok());
  EXPECT_TRUE(SetFromText("status", "PAID", order).ok());
  EXPECT_TRUE(SetFromText("version", "-7", order).ok());
  EXPECT_TRUE(SetFromText("currency", "EUR", order).ok());
  EXPECT_TRUE(SetFromText("totalAmount", "1.5", order).ok());
  EXPECT_TRUE(SetFromText("createdAt", "2026-01-01T00:00:00Z", order).ok());
  EXPECT_TRUE(SetFromText("shippingAddress.city", "Łódź", order).ok());
  EXPECT_EQ(order.order_id(), "ord 1");
  EXPECT_EQ(order.status(), order::ORDER_STATUS_PAID);
  EXPECT_EQ(order.version(), -7);
  EXPECT_EQ(order.total_amount(), 150);
  EXPECT_EQ(order.shipping_address().city(), "Łódź");
}

TEST(JsonSetFromText, RefusesWhatIsNoScalarOfTheMessage) {
  product::ListProductsRequest request;
  order::Order order;
  EXPECT_EQ(ErrorReason(SetFromText("nope", "1", request)), "UNKNOWN_FIELD");
  EXPECT_EQ(ErrorReason(SetFromText("", "1", request)), "UNKNOWN_FIELD");
  EXPECT_EQ(ErrorReason(SetFromText("title.x", "1", request)), "UNKNOWN_FIELD");
  EXPECT_EQ(ErrorReason(SetFromText("shippingAddress", "1", order)), "UNKNOWN_FIELD");
  EXPECT_EQ(ErrorReason(SetFromText("shippingAddress.", "1", order)), "UNKNOWN_FIELD");
  EXPECT_EQ(ErrorReason(SetFromText("items", "1", order)), "UNKNOWN_FIELD");
  EXPECT_EQ(ErrorReason(SetFromText("pageSize", "1.5", request)), "WRONG_TYPE");
  EXPECT_EQ(ErrorReason(SetFromText("pageSize", "", request)), "INVALID_VALUE");
  EXPECT_EQ(ErrorReason(SetFromText("pageSize", "2147483648", request)), "INVALID_VALUE");
  EXPECT_EQ(GetErrorDetail(SetFromText("pageSize", "x", request)).field, "pageSize");
  EXPECT_EQ(ErrorReason(SetFromText("title", "\xff", request)), "INVALID_VALUE");
  EXPECT_EQ(ErrorReason(SetFromText("title", std::string_view("\0", 1), request)), "INVALID_VALUE");
}

TEST(JsonAppendString, EscapesWhatJsonDemands) {
  std::string text;
  AppendString(std::string_view("a\0\x1f\"\\/\b\f\n\r\t\x7f☕", 15), text);
  EXPECT_EQ(text, "\"a\\u0000\\u001f\\\"\\\\/\\b\\f\\n\\r\\t\x7f☕\"");
}

TEST(Object, GivesItsMembersOneByOne) {
  auto object = Object::Read(
      R"({"type":"created","n":1,"payload":{"sku":"A\n","isNew":{"of":[1,null]},"productId":"prd_1"},"text":"x"})");
  ASSERT_TRUE(object.ok()) << object.status();
  const Object moved = *std::move(object);
  EXPECT_EQ(moved.Text("type"), "created");
  EXPECT_EQ(moved.Text("text"), "x");
  EXPECT_EQ(moved.Text("n"), "") << "a number is no text";
  EXPECT_EQ(moved.Text("nothing"), "");
  EXPECT_EQ(moved.TextIn("payload", "productId"), "prd_1") << "behind an object that is passed over";
  EXPECT_EQ(moved.TextIn("payload", "sku"), "A\n");
  EXPECT_EQ(moved.TextIn("payload", "isNew"), "");
  EXPECT_EQ(moved.TextIn("payload", "type"), "") << "a member of what is around it";
  EXPECT_EQ(moved.TextIn("payload", "text"), "") << "a member behind it";
  EXPECT_EQ(moved.TextIn("text", "sku"), "");
  EXPECT_EQ(moved.TextIn("nothing", "sku"), "");
  EXPECT_EQ(moved.Integer("n"), 1);
  EXPECT_EQ(moved.Integer("text"), std::nullopt) << "a text is no number";
  EXPECT_EQ(Object::Read(R"({"n":1.5})")->Integer("n"), std::nullopt);
  EXPECT_EQ(Object::Read(R"({"n":9223372036854775808})")->Integer("n"), std::nullopt);
  EXPECT_TRUE(moved.Has("payload"));
  EXPECT_FALSE(moved.Has("nothing"));
  product::VariantRef ref;
  EXPECT_EQ(moved.Parse("payload", ref).code(), absl::StatusCode::kInvalidArgument) << "one of the two only";
  order::OrderItem item;
  ASSERT_TRUE(moved.Parse("payload", item).ok());
  EXPECT_EQ(item.sku(), "A\n");
  EXPECT_EQ(item.product_id(), "prd_1");
}

TEST(Object, SaysWhereItIsWrong) {
  EXPECT_EQ(ErrorReason(Object::Read("[]").status()), "WRONG_TYPE");
  EXPECT_EQ(ErrorReason(Object::Read("{\"a\":").status()), "MALFORMED_JSON");
  const auto object = Object::Read(R"({"a":1,"b":{"qty":"two","unknown":0}})");
  ASSERT_TRUE(object.ok());
  order::OrderItem item;
  EXPECT_EQ(GetErrorDetail(object->Parse("a", item)).field, "a");
  EXPECT_EQ(GetErrorDetail(object->Parse("c", item)).field, "c");
  EXPECT_EQ(GetErrorDetail(object->Parse("b", item)).field, "b.qty");
}

}  // namespace
}  // namespace bv::json
