// What is on the wire stays as it was published: consumers hold bytes and JSON of years ago.
#include <absl/strings/escaping.h>
#include <absl/strings/str_replace.h>
#include <absl/time/time.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "commerce/order/v1/events.pb.h"
#include "libs/base/strings.h"
#include "libs/events/outbox.h"

namespace bv {
namespace {

using commerce::order::v1::OrderCreated;

// A file of tests/proto/golden without its line ends.
std::string Golden(const std::string& name) {
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
  EXPECT_EQ(absl::BytesToHexString(Example().SerializeAsString()), Golden("order_created.hex"));
}

TEST(OrderCreatedGolden, PublishedBytesAreUnderstood) {
  OrderCreated read;
  ASSERT_TRUE(read.ParseFromString(absl::HexStringToBytes(Golden("order_created.hex"))));
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
  EXPECT_EQ(envelope, Golden("order_created.json"));
}

}  // namespace
}  // namespace bv
