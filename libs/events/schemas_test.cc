#include "libs/events/schemas.h"

#include <absl/strings/str_replace.h>
#include <gtest/gtest.h>

#include <atomic>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include "libs/base/error.h"

namespace bv::events {
namespace {

constexpr std::string_view kOrderCreated = "ecommerce.order.order.created.v1";
constexpr std::string_view kEnvelope =
    R"({"eventId":"0198c5a0-0000-7000-8000-000000000001","eventType":"ecommerce.order.order.created.v1",)"
    R"("occurredAt":"2026-01-31T12:00:00.000007Z","producer":"order-service",)"
    R"("traceId":"4bf92f3577b34da6a3ce929d0e0e4736","correlationId":"corr-7","schemaVersion":"1.0",)"
    R"("partitionKey":"ORDER-123","payload":{"orderId":"ORDER-123","userId":"USER-9","totalAmount":129.50,)"
    R"("currency":"USD","items":[{"productId":"P1","qty":2,"price":25.00},)"
    R"({"productId":"P2","qty":1,"price":79.50}]}})";

TEST(SchemaTexts, AreOneForEachType) {
  ASSERT_GT(SchemaTexts().size(), 10U);
  for (std::size_t i = 1; i < SchemaTexts().size(); ++i)
    EXPECT_LT(SchemaTexts()[i - 1].type, SchemaTexts()[i].type);
}

TEST(PayloadHas, AsTheSchemaSays) {
  EXPECT_TRUE(PayloadHas(kOrderCreated, "storeCode"));
  EXPECT_TRUE(PayloadHas(kOrderCreated, "items"));
  EXPECT_FALSE(PayloadHas(kOrderCreated, "sku")) << "not the payload's own";
  EXPECT_FALSE(PayloadHas(kOrderCreated, "eventId")) << "the envelope's";
  EXPECT_FALSE(PayloadHas("ecommerce.order.order.unknown.v1", "items"));
}

TEST(Validate, TakesWhatTheSchemaSays) {
  const absl::Status status = Validate(kOrderCreated, kEnvelope);
  EXPECT_TRUE(status.ok()) << status;
}

TEST(Validate, KnowsEachTypeByItsOwnSchema) {
  EXPECT_EQ(ErrorReason(Validate("ecommerce.order.order.unknown.v1", kEnvelope)), "EVENT_WITHOUT_SCHEMA");
  for (const SchemaText& schema : SchemaTexts()) {
    if (schema.type == kOrderCreated) continue;
    EXPECT_EQ(GetErrorDetail(Validate(schema.type, kEnvelope)).field, "/eventType") << schema.type;
  }
}

TEST(Validate, ManyThreadsMayUseIt) {
  std::atomic<int> refused = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&refused] {
      for (int n = 0; n < 20'000; ++n) refused += Validate(kOrderCreated, kEnvelope).ok() ? 0 : 1;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(refused, 0);
}

TEST(Validate, TakesTextThatIsNotJsonForWrong) {
  for (const std::string_view text : {"", "{", "[]", "null", "{}}"}) {
    const absl::Status status = Validate(kOrderCreated, text);
    EXPECT_EQ(ErrorReason(status), "EVENT_NOT_VALID") << text << ": " << status;
  }
}

struct Flaw {
  std::string what;
  std::string with;
  std::string field;
};

void PrintTo(const Flaw& flaw, std::ostream* out) {
  *out << flaw.what << " → " << flaw.with;
}

class ValidateFlaw : public testing::TestWithParam<Flaw> {};

TEST_P(ValidateFlaw, IsRefusedAndNamed) {
  const std::string text = absl::StrReplaceAll(std::string(kEnvelope), {{GetParam().what, GetParam().with}});
  ASSERT_NE(text, kEnvelope);
  const absl::Status status = Validate(kOrderCreated, text);
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(ErrorReason(status), "EVENT_NOT_VALID") << status;
  EXPECT_EQ(GetErrorDetail(status).field, GetParam().field) << status;
}

INSTANTIATE_TEST_SUITE_P(
    OfTheEnvelope, ValidateFlaw,
    testing::Values(Flaw{"0198c5a0-", "0198C5A0-", "/eventId"}, Flaw{"000001\"", "00001\"", "/eventId"},
                    Flaw{"order.created.v1", "order.created.v2", "/eventType"},
                    Flaw{".000007Z", "Z", "/occurredAt"}, Flaw{"2026-01", "2026-1", "/occurredAt"},
                    Flaw{"order-service", "orders", "/producer"}, Flaw{"4bf92f35", "", "/traceId"},
                    Flaw{"4bf92f3577b34da6a3ce929d0e0e4736", "", "/traceId"},
                    Flaw{"corr-7", "", "/correlationId"}, Flaw{"\"corr-7\"", "7", "/correlationId"},
                    Flaw{R"("correlationId":"corr-7",)", "", "/correlationId"},
                    Flaw{"\"1.0\"", "\"9.0\"", "/schemaVersion"},
                    Flaw{R"("ORDER-123","payload")", R"("","payload")", "/partitionKey"},
                    Flaw{R"("payload")", R"("extra":1,"payload")", "/extra"}));

INSTANTIATE_TEST_SUITE_P(
    OfThePayload, ValidateFlaw,
    testing::Values(Flaw{R"("userId":"USER-9",)", "", "/payload/userId"},
                    Flaw{R"("userId":)", R"("user":)", "/payload/user"},
                    Flaw{R"("userId":"USER-9")", R"("userId":null)", "/payload/userId"},
                    Flaw{"129.50", "\"129.50\"", "/payload/totalAmount"},
                    Flaw{R"("qty":1)", R"("qty":1.5)", "/payload/items/1/qty"},
                    Flaw{R"("qty":1,)", "", "/payload/items/1/qty"},
                    Flaw{R"("qty":1,)", R"("qty":1,"weight":2,)", "/payload/items/1/weight"},
                    Flaw{R"({"productId":"P2","qty":1,"price":79.50})", "7", "/payload/items/1"}));

}  // namespace
}  // namespace bv::events
