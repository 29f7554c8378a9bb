// What each projection makes of events as their writers make them.
#include "libs/read_models/read_models.h"

#include <gtest/gtest.h>

#include "commerce/inventory/v1/events.pb.h"
#include "commerce/order/v1/events.pb.h"
#include "libs/events/outbox.h"
#include "libs/projections/row.h"
#include "libs/read_models/daily_revenue.h"
#include "libs/read_models/inventory_snapshot.h"
#include "libs/read_models/orders_by_customer.h"
#include "libs/read_models/revenue_by_minute.h"

namespace bv::read_models {
namespace {

using projections::Change;
using projections::Projection;
using projections::Put;
using projections::Value;
namespace order = commerce::order::v1;
namespace inventory = commerce::inventory::v1;

constexpr absl::Duration kKeep = absl::Hours(24);
const char kAt[] = "2026-11-20T23:30:59.250Z";

absl::Time TimeOf(const char* text) {
  absl::Time time;
  EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full, text, &time, nullptr));
  return time;
}

TimeZones Zones() {
  return *TimeZones::Create("UTC", {"berlin=Europe/Berlin"});
}

absl::StatusOr<std::vector<Change>> ChangesOf(const Projection& projection,
                                              const google::protobuf::Message& payload,
                                              std::int64_t version = 1, const char* tenant = "acme") {
  RequestContext context;
  context.tenant = TenantId::Trusted(tenant);
  const auto row = events::MakeRow(payload, version, TimeOf(kAt), context);
  EXPECT_TRUE(row.ok()) << row.status();
  const auto envelope = events::ParseEnvelope(row->payload);
  EXPECT_TRUE(envelope.ok()) << envelope.status();
  auto changes = projection.changes({context.tenant, version, *envelope});
  if (changes.ok()) {
    for (const Change& change : *changes) EXPECT_TRUE(CheckFits(projection.shape, change).ok());
  }
  return changes;
}

order::OrderPaid Paid(std::int64_t amount, const char* currency = "USD") {
  order::OrderPaid paid;
  paid.set_order_id("ord_1");
  paid.set_user_id("ada");
  paid.set_total_amount(amount);
  paid.set_currency(currency);
  return paid;
}

order::OrderCanceled Canceled(std::int64_t refunded) {
  order::OrderCanceled canceled;
  canceled.set_order_id("ord_1");
  canceled.set_user_id("ada");
  canceled.set_refunded_amount(refunded);
  canceled.set_currency("USD");
  return canceled;
}

order::OrderStatusChanged StatusChanged(const char* status) {
  order::OrderStatusChanged changed;
  changed.set_order_id("ord_1");
  changed.set_user_id("ada");
  changed.set_status(status);
  changed.set_payment_status("PAID");
  changed.set_fulfillment_status("UNFULFILLED");
  return changed;
}

TEST(OrdersByCustomer, AnOrderIsPlacedOnceAndItsStateFollows) {
  order::OrderCreated created;
  created.set_order_id("ord_1");
  created.set_user_id("ada");
  created.set_total_amount(12950);
  created.set_currency("USD");
  const auto first = ChangesOf(OrdersByCustomer(), created);
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_EQ(first->size(), 2u);
  EXPECT_EQ((*first)[0].key, (std::vector<Value>{std::string("ada"), std::string("ord_1")}));
  EXPECT_EQ(std::get<Put>((*first)[0].what).values,
            (std::vector<Value>{std::int64_t{12950}, std::string("USD"), TimeOf(kAt)}));
  const auto second = ChangesOf(OrdersByCustomer(), StatusChanged("PAID"), 3);
  ASSERT_TRUE(second.ok()) << second.status();
  ASSERT_EQ(second->size(), 1u);
  EXPECT_EQ((*second)[0].key, (*first)[0].key);
  const Put& state = std::get<Put>((*second)[0].what);
  EXPECT_EQ(state.facet, std::get<Put>((*first)[1].what).facet);
  EXPECT_EQ(state.version, 3);
  EXPECT_EQ(state.values[0], Value(std::string("PAID")));
  EXPECT_TRUE(ChangesOf(OrdersByCustomer(), Paid(1))->empty());
}

TEST(InventorySnapshot, EachPlaceHasItsOwnVersion) {
  inventory::StockAdjusted adjusted;
  adjusted.set_product_id("prd_1");
  adjusted.set_sku("A");
  for (const auto& [code, version] : {std::pair("MAIN", 7), std::pair("SHOP-1", 2)}) {
    auto* place = adjusted.add_locations();
    place->set_location_code(code);
    place->set_on_hand(10);
    place->set_reserved(3);
    place->set_available(6);
    place->set_version(version);
  }
  const auto changes = ChangesOf(InventorySnapshot(), adjusted, 9);
  ASSERT_TRUE(changes.ok()) << changes.status();
  ASSERT_EQ(changes->size(), 2u);
  EXPECT_EQ((*changes)[1].key, (std::vector<Value>{std::string("A"), std::string("SHOP-1")}));
  const Put& stock = std::get<Put>((*changes)[1].what);
  EXPECT_EQ(stock.version, 2);
  EXPECT_EQ(stock.values, (std::vector<Value>{std::string("prd_1"), std::int64_t{10}, std::int64_t{3},
                                              std::int64_t{6}, TimeOf(kAt)}));
}

std::vector<std::int64_t> AmountsOf(const absl::StatusOr<std::vector<Change>>& changes) {
  EXPECT_TRUE(changes.ok()) << changes.status();
  EXPECT_EQ(changes->size(), 1u);
  return std::get<projections::Add>(changes->at(0).what).amounts;
}

TEST(DailyRevenue, PaidAddsAndWhatWasGivenBackSubtracts) {
  const Projection daily = DailyRevenue(Zones());
  EXPECT_EQ(AmountsOf(ChangesOf(daily, Paid(12950))), (std::vector<std::int64_t>{12950, 1, 0, 0}));
  EXPECT_EQ(AmountsOf(ChangesOf(daily, Canceled(12950))), (std::vector<std::int64_t>{0, 0, 12950, 1}));
  EXPECT_TRUE(ChangesOf(daily, Canceled(0))->empty()) << "nothing was paid";
  EXPECT_TRUE(ChangesOf(daily, StatusChanged("PAID"))->empty());
}

TEST(DailyRevenue, DaysAreThoseOfTheTenant) {
  const Projection daily = DailyRevenue(Zones());
  EXPECT_EQ(ChangesOf(daily, Paid(1))->at(0).key,
            (std::vector<Value>{absl::CivilDay(2026, 11, 20), std::string("USD")}));
  EXPECT_EQ(ChangesOf(daily, Paid(1, "EUR"), 1, "berlin")->at(0).key,
            (std::vector<Value>{absl::CivilDay(2026, 11, 21), std::string("EUR")}));
}

TEST(RevenueByMinute, AnEventBelongsToTheMinuteInWhichItOccurred) {
  EXPECT_EQ(ChangesOf(RevenueByMinute(kKeep), Paid(1))->at(0).key,
            (std::vector<Value>{TimeOf("2026-11-20T23:30:00Z"), std::string("USD")}));
}

TEST(RevenueByMinute, MinutesThatMayHaveBeenDeletedAreNotCompared) {
  const Projection minutes = RevenueByMinute(kKeep);
  const absl::Time now = TimeOf(kAt);
  const auto forgotten = [&](absl::Time minute) {
    return minutes.forgotten(
        EmptyRow(minutes.shape, {TenantId::Trusted("acme"), {minute, std::string("USD")}}), now);
  };
  EXPECT_TRUE(forgotten(now - kKeep));
  EXPECT_FALSE(forgotten(now - kKeep / 2));
  EXPECT_FALSE(DailyRevenue(Zones()).forgotten) << "never";
}

TEST(Projections, WhatCanNeverBeAppliedIsRefusedByName) {
  order::OrderStatusChanged nobody = StatusChanged("PAID");
  nobody.clear_user_id();
  EXPECT_TRUE(absl::IsInvalidArgument(ChangesOf(OrdersByCustomer(), nobody).status()));
  inventory::StockAdjusted adjusted;
  adjusted.set_product_id("prd_1");
  adjusted.set_sku("no sku");
  EXPECT_TRUE(absl::IsInvalidArgument(ChangesOf(InventorySnapshot(), adjusted).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(ChangesOf(RevenueByMinute(kKeep), Paid(-1)).status()));
}

TEST(Projections, EachPassesOverTheEventsOfTheOthers) {
  inventory::StockAdjusted adjusted;
  adjusted.set_product_id("prd_1");
  adjusted.set_sku("A");
  for (const Projection& projection : {OrdersByCustomer(), DailyRevenue(Zones()), RevenueByMinute(kKeep)})
    EXPECT_TRUE(ChangesOf(projection, adjusted)->empty()) << projection.name;
  EXPECT_TRUE(ChangesOf(InventorySnapshot(), Paid(1))->empty());
}

}  // namespace
}  // namespace bv::read_models
