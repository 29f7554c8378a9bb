// What is on the wire stays as it was published: consumers hold bytes and JSON of years ago.
#include <absl/strings/escaping.h>
#include <absl/strings/str_replace.h>
#include <absl/time/time.h>
#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "commerce/inventory/v1/events.pb.h"
#include "commerce/inventory/v1/service.pb.h"
#include "commerce/order/v1/events.pb.h"
#include "commerce/order/v1/service.pb.h"
#include "libs/base/strings.h"
#include "libs/events/outbox.h"
#include "libs/json/json.h"

namespace bv {
namespace {

using commerce::order::v1::OrderCreated;

// A file of tests/proto/golden without its line ends.
std::string GoldenText(const std::string& name) {
  std::ifstream file(Concat(BV_GOLDEN_DIR "/", name));
  EXPECT_TRUE(file.good()) << name;
  std::stringstream text;
  text << file.rdbuf();
  return absl::StrReplaceAll(text.str(), {{"\n", ""}});
}

OrderCreated Example() {
  OrderCreated event;
  event.set_order_id("ORDER-123");
  event.set_user_id("USER-9");
  event.set_total_amount(12950);
  event.set_currency("USD");
  OrderCreated::Item* first = event.add_items();
  first->set_product_id("P1");
  first->set_qty(2);
  first->set_price(2500);
  OrderCreated::Item* second = event.add_items();
  second->set_product_id("P2");
  second->set_qty(1);
  second->set_price(7950);
  return event;
}

TEST(OrderCreatedGolden, BytesAreThosePublished) {
  EXPECT_EQ(absl::BytesToHexString(Example().SerializeAsString()), GoldenText("order_created.hex"));
}

TEST(OrderCreatedGolden, PublishedBytesAreUnderstood) {
  OrderCreated read;
  ASSERT_TRUE(read.ParseFromString(absl::HexStringToBytes(GoldenText("order_created.hex"))));
  EXPECT_EQ(read.SerializeAsString(), Example().SerializeAsString());
  EXPECT_TRUE(read.GetReflection()->GetUnknownFields(read).empty());
}

TEST(OrderCreatedGolden, EnvelopeIsTheCanonicalJson) {
  events::OutboxRow row;
  row.id = "018bf9e5-5400-7fd4-b89a-60db4739b1a6";
  row.key = "ORDER-123";
  row.correlation_id = "corr-7";
  row.occurred_at = absl::FromCivil(absl::CivilSecond(2023, 11, 23, 0, 1, 2), absl::UTCTimeZone()) +
                    absl::Microseconds(3004);
  std::string envelope;
  ASSERT_TRUE(events::AppendEnvelope(Example(), row, "4bf92f3577b34da6a3ce929d0e0e4736", envelope).ok());
  EXPECT_EQ(envelope, GoldenText("order_created.json"));
}

// A message whose bytes (written by protoc) and whose JSON are kept: requests that are repeated for years
// under the same code, and events.
struct Kept {
  const char* name;
  const google::protobuf::Message* prototype;
};

void PrintTo(const Kept& kept, std::ostream* out) {
  *out << kept.name;
}

class Golden : public testing::TestWithParam<Kept> {
 protected:
  const std::string bytes_ = absl::HexStringToBytes(GoldenText(Concat(GetParam().name, ".hex")));
  const std::string json_ = GoldenText(Concat(GetParam().name, ".json"));
  const std::unique_ptr<google::protobuf::Message> message_{GetParam().prototype->New()};
};

TEST_P(Golden, KeptBytesAreUnderstood) {
  ASSERT_TRUE(message_->ParseFromString(bytes_));
  EXPECT_TRUE(message_->GetReflection()->GetUnknownFields(*message_).empty());
  EXPECT_EQ(message_->SerializeAsString(), bytes_);
  std::string json;
  ASSERT_TRUE(json::Append(*message_, json).ok());
  EXPECT_EQ(json, json_);
}

TEST_P(Golden, KeptJsonIsUnderstood) {
  ASSERT_TRUE(json::Parse(json_, *message_).ok());
  EXPECT_EQ(message_->SerializeAsString(), bytes_);
}

INSTANTIATE_TEST_SUITE_P(
    Messages, Golden,
    testing::Values(Kept{"create_order_request",
                         &commerce::order::v1::CreateOrderRequest::default_instance()},
                    Kept{"order_paid", &commerce::order::v1::OrderPaid::default_instance()},
                    Kept{"reservation_held", &commerce::inventory::v1::ReservationHeld::default_instance()},
                    Kept{"reserve_request", &commerce::inventory::v1::ReserveRequest::default_instance()},
                    Kept{"reserve_response", &commerce::inventory::v1::ReserveResponse::default_instance()}),
    [](const auto& kept) { return std::string(kept.param.name); });

}  // namespace
}  // namespace bv
