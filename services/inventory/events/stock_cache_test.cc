#include "services/inventory/events/stock_cache.h"

#include <gtest/gtest.h>

#include "commerce/inventory/v1/events.pb.h"
#include "libs/events/outbox.h"
#include "libs/projections/row.h"

namespace bv::inventory {
namespace {

using projections::Change;
using projections::Put;
using projections::Value;

std::vector<Change> ChangesOf(const google::protobuf::Message& payload) {
  RequestContext context;
  context.tenant = TenantId::Trusted("acme");
  const absl::StatusOr<events::OutboxRow> row =
      events::MakeRow(payload, 9, absl::FromUnixSeconds(1'790'000'000), context);
  EXPECT_TRUE(row.ok()) << row.status();
  const absl::StatusOr<events::Envelope> envelope = events::ParseEnvelope(row->payload);
  EXPECT_TRUE(envelope.ok()) << envelope.status();
  const projections::Projection projection = StockCache();
  absl::StatusOr<std::vector<Change>> changes = projection.changes({context.tenant, 9, *envelope});
  EXPECT_TRUE(changes.ok()) << changes.status();
  for (const Change& change : *changes) EXPECT_TRUE(projections::CheckFits(projection.shape, change).ok());
  return *std::move(changes);
}

TEST(StockCacheTest, EachPlaceIsARowWithItsOwnVersion) {
  commerce::inventory::v1::StockAdjusted adjusted;
  adjusted.set_product_id("prd_1");
  adjusted.set_sku("TENT-2");
  for (const auto& [code, version] : {std::pair{"main", 17}, std::pair{"back", 3}}) {
    auto* location = adjusted.add_locations();
    location->set_location_code(code);
    location->set_on_hand(10);
    location->set_reserved(4);
    location->set_available(5);
    location->set_version(version);
  }
  const std::vector<Change> changes = ChangesOf(adjusted);
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_EQ(changes[0].key,
            (std::vector<Value>{std::string("prd_1"), std::string("TENT-2"), std::string("main")}));
  EXPECT_EQ(std::get<Put>(changes[0].what).version, 17);
  EXPECT_EQ(std::get<Put>(changes[0].what).values,
            (std::vector<Value>{std::int64_t{10}, std::int64_t{4}, std::int64_t{5}}));
  EXPECT_EQ(std::get<Put>(changes[1].what).version, 3);
}

TEST(StockCacheTest, OtherEventsArePassedOver) {
  commerce::inventory::v1::ReservationReleased released;
  released.set_reservation_id("hold_1");
  EXPECT_TRUE(ChangesOf(released).empty());
}

}  // namespace
}  // namespace bv::inventory
