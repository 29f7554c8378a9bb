#include "services/product/events/flash_price.h"

#include <gtest/gtest.h>

#include "commerce/pricing/v1/events.pb.h"
#include "libs/events/outbox.h"
#include "libs/projections/row.h"
#include "libs/rpc/timestamp.h"

namespace bv::product {
namespace {

namespace pb = commerce::pricing::v1;
using projections::Change;
using projections::Put;
using projections::Remove;
using projections::Value;

const std::vector<Value> kKey = {std::string("prd_1"), std::string("fsl_1")};
const absl::Time kStart = absl::FromUnixSeconds(1'790'000'000);

Change ChangeOf(const google::protobuf::Message& payload) {
  RequestContext context;
  context.tenant = TenantId::Trusted("acme");
  const absl::StatusOr<events::OutboxRow> row = events::MakeRow(payload, 9, kStart, context);
  EXPECT_TRUE(row.ok()) << row.status();
  const absl::StatusOr<events::Envelope> envelope = events::ParseEnvelope(row->payload);
  EXPECT_TRUE(envelope.ok()) << envelope.status();
  const projections::Projection projection = FlashPrice();
  const absl::StatusOr<std::vector<Change>> changes = projection.changes({context.tenant, 9, *envelope});
  EXPECT_TRUE(changes.ok()) << changes.status();
  EXPECT_EQ(changes->size(), 1u);
  EXPECT_TRUE(projections::CheckFits(projection.shape, changes->front()).ok());
  return changes->front();
}

TEST(FlashPriceTest, ASaleThatBeginsIsARowUntilItsEnd) {
  pb::FlashSaleStarted started;
  started.set_sale_id("fsl_1");
  started.set_product_id("prd_1");
  started.set_name("Black Friday");
  for (const char* sku : {"TENT-2", "TENT-4"}) {
    pb::FlashSaleStarted::Offer* offer = started.add_offers();
    offer->set_variant_id("var_1");
    offer->set_sku(sku);
    offer->set_price(9950);
    offer->set_currency("USD");
    offer->set_regular_price(12950);
  }
  *started.mutable_starts_at() = rpc::ToTimestamp(kStart);
  *started.mutable_ends_at() = rpc::ToTimestamp(kStart + absl::Hours(1));
  const Change change = ChangeOf(started);
  EXPECT_EQ(change.key, kKey);
  const Put& put = std::get<Put>(change.what);
  EXPECT_EQ(put.version, 1);
  EXPECT_EQ(put.values[0], Value(std::string("Black Friday")));
  EXPECT_EQ(std::get<std::string>(put.values[1]),
            R"([{"variantId":"var_1","sku":"TENT-2","price":99.50,"currency":"USD","regularPrice":129.50},)"
            R"({"variantId":"var_1","sku":"TENT-4","price":99.50,"currency":"USD","regularPrice":129.50}])");
  EXPECT_EQ(put.values[2], Value(kStart));
  EXPECT_EQ(put.values[3], Value(kStart + absl::Hours(1)));
}

TEST(FlashPriceTest, ASaleThatEndsIsRemovedForGood) {
  pb::FlashSaleEnded ended;
  ended.set_sale_id("fsl_1");
  ended.set_product_id("prd_1");
  ended.set_reason("CANCELED");
  *ended.mutable_ended_at() = rpc::ToTimestamp(kStart);
  const Change change = ChangeOf(ended);
  EXPECT_EQ(change.key, kKey);
  EXPECT_GT(std::get<Remove>(change.what).version, 1);
}

}  // namespace
}  // namespace bv::product
