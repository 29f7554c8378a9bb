#include "services/order/events/status_cache.h"

#include <gtest/gtest.h>

#include "commerce/order/v1/events.pb.h"
#include "libs/events/outbox.h"
#include "libs/projections/row.h"

namespace bv::order {
namespace {

namespace pb = commerce::order::v1;
using projections::Change;
using projections::Put;
using projections::Remove;
using projections::Value;

std::vector<Change> ChangesOf(const google::protobuf::Message& payload, std::int64_t version) {
  RequestContext context;
  context.tenant = TenantId::Trusted("acme");
  const absl::StatusOr<events::OutboxRow> row =
      events::MakeRow(payload, version, absl::FromUnixSeconds(1'790'000'000), context);
  EXPECT_TRUE(row.ok()) << row.status();
  const absl::StatusOr<events::Envelope> envelope = events::ParseEnvelope(row->payload);
  EXPECT_TRUE(envelope.ok()) << envelope.status();
  const projections::Projection projection = StatusCache();
  absl::StatusOr<std::vector<Change>> changes = projection.changes({context.tenant, version, *envelope});
  EXPECT_TRUE(changes.ok()) << changes.status();
  for (const Change& change : *changes) {
    EXPECT_TRUE(projections::CheckFits(projection.shape, change).ok());
    EXPECT_EQ(change.key, (std::vector<Value>{std::string("ord_1")}));
    EXPECT_EQ(change.tenant, context.tenant);
  }
  return *std::move(changes);
}

pb::OrderStatusChanged Changed(const std::string& status) {
  pb::OrderStatusChanged changed;
  changed.set_order_id("ord_1");
  changed.set_status(status);
  changed.set_payment_status("PAID");
  changed.set_fulfillment_status("PARTIALLY_SHIPPED");
  return changed;
}

TEST(StatusCacheTest, ANewOrderIsPendingAndNothingElseIsKnown) {
  pb::OrderCreated created;
  created.set_order_id("ord_1");
  created.set_currency("USD");
  const std::vector<Change> changes = ChangesOf(created, 1);
  ASSERT_EQ(changes.size(), 1u);
  const Put& put = std::get<Put>(changes[0].what);
  EXPECT_EQ(put.facet, 0u);
  EXPECT_EQ(put.version, 1);
  EXPECT_EQ(put.values, (std::vector<Value>{std::string("PENDING")}));
}

TEST(StatusCacheTest, AChangeSaysAllThree) {
  const std::vector<Change> changes = ChangesOf(Changed("PAID"), 4);
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_EQ(std::get<Put>(changes[0].what).values, (std::vector<Value>{std::string("PAID")}));
  EXPECT_EQ(std::get<Put>(changes[1].what).values,
            (std::vector<Value>{std::string("PAID"), std::string("PARTIALLY_SHIPPED")}));
  EXPECT_EQ(std::get<Put>(changes[1].what).version, 4);
}

TEST(StatusCacheTest, TheEndOfAnOrderRemovesIt) {
  for (const char* end : {"FULFILLED", "CANCELED"}) {
    const std::vector<Change> changes = ChangesOf(Changed(end), 6);
    ASSERT_EQ(changes.size(), 1u) << end;
    EXPECT_EQ(std::get<Remove>(changes[0].what).version, 6);
  }
}

TEST(StatusCacheTest, WhatComesWithAChangeIsPassedOver) {
  pb::OrderPaid paid;
  paid.set_order_id("ord_1");
  paid.set_currency("USD");
  EXPECT_TRUE(ChangesOf(paid, 2).empty());
}

}  // namespace
}  // namespace bv::order
