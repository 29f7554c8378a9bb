#include "services/webhook-dispatcher/events/offered.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/strings.h"

namespace bv::webhook {
namespace {

using ::testing::ElementsAre;

std::string Store(std::string_view type, std::string_view payload) {
  const absl::StatusOr<events::Envelope> event =
      events::ParseEnvelope(Concat(R"({"eventId":"1","eventType":")", type,
                                   R"(","occurredAt":"2026-01-31T12:00:00Z","payload":)", payload, "}"));
  EXPECT_TRUE(event.ok()) << event.status();
  return std::string(StoreOf(*event));
}

TEST(Offered, TypesOfStoresAreThoseOfOrders) {
  const std::span<const std::string> types = OfferedTypesOfStores();
  EXPECT_THAT(std::vector<std::string>(types.begin(), types.end()),
              ElementsAre("ecommerce.order.order.canceled.v1", "ecommerce.order.order.created.v1",
                          "ecommerce.order.order.fulfilled.v1", "ecommerce.order.order.paid.v1",
                          "ecommerce.order.order.status_changed.v1"));
}

TEST(Offered, AnEventIsOfTheStoreThatItNames) {
  EXPECT_EQ(Store("ecommerce.order.order.paid.v1", R"({"items":[{"storeCode":"x"}],"storeCode":"eu"})"),
            "eu");
  // Of a type that is newer than this program.
  EXPECT_EQ(Store("ecommerce.order.order.returned.v1", R"({"storeCode":"eu"})"), "eu");
}

TEST(Offered, AnOrdersEventFromBeforeThereWereStoresIsOfTheDefaultOne) {
  EXPECT_EQ(Store("ecommerce.order.order.paid.v1", R"({"orderId":"ord_1"})"), "default");
}

TEST(Offered, OtherEventsAreOfNoStore) {
  EXPECT_EQ(Store("ecommerce.product.product.updated.v1", R"({"productId":"prd_1"})"), "");
  EXPECT_EQ(Store("ecommerce.order.order.returned.v1", R"({"orderId":"ord_1"})"), "");
}

}  // namespace
}  // namespace bv::webhook
