// The examples in protos/events are what the fleet would write, byte for byte.
#include <absl/strings/str_replace.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "commerce/audit/v1/events.pb.h"
#include "commerce/common/v1/options.pb.h"
#include "commerce/identity/v1/events.pb.h"
#include "commerce/inventory/v1/events.pb.h"
#include "commerce/order/v1/events.pb.h"
#include "commerce/payment/v1/events.pb.h"
#include "commerce/pricing/v1/events.pb.h"
#include "commerce/product/v1/events.pb.h"
#include "commerce/webhook/v1/events.pb.h"
#include "libs/base/strings.h"
#include "libs/events/envelope.h"
#include "libs/events/outbox.h"
#include "libs/json/json.h"

namespace bv {
namespace {

using google::protobuf::Descriptor;

// The payload's message of every type. A context that has events is named here once.
std::map<std::string, const Descriptor*> Payloads() {
  std::map<std::string, const Descriptor*> payloads;
  for (const Descriptor* one :
       {commerce::audit::v1::AuditRecorded::descriptor(), commerce::identity::v1::AccessRevoked::descriptor(),
        commerce::inventory::v1::StockAdjusted::descriptor(), commerce::order::v1::OrderCreated::descriptor(),
        commerce::payment::v1::PaymentSucceeded::descriptor(),
        commerce::pricing::v1::PriceUpdated::descriptor(),
        commerce::product::v1::ProductUpdated::descriptor(),
        commerce::webhook::v1::DeliveryFailed::descriptor()}) {
    for (int i = 0; i < one->file()->message_type_count(); ++i) {
      const Descriptor* payload = one->file()->message_type(i);
      if (!payload->options().HasExtension(commerce::common::v1::event)) continue;
      payloads[events::TypeOf(*payload).name] = payload;
    }
  }
  return payloads;
}

constexpr char kSuffix[] = ".example.json";

// The types that have an example.
std::vector<std::string> Types() {
  std::vector<std::string> types;
  for (const auto& entry : std::filesystem::directory_iterator(BV_EVENTS_DIR)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(kSuffix)) types.push_back(name.substr(0, name.size() - (sizeof(kSuffix) - 1)));
  }
  return types;
}

// A file of protos/events.
std::string ReadFile(const std::string& type, std::string_view suffix) {
  std::ifstream file(Concat(BV_EVENTS_DIR "/", type, suffix));
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string NameOf(const ::testing::TestParamInfo<std::string>& type) {
  return absl::StrReplaceAll(type.param, {{".", "_"}});
}

class Example : public ::testing::TestWithParam<std::string> {};

TEST_P(Example, IsWhatTheFleetWrites) {
  const auto payloads = Payloads();
  const auto payload = payloads.find(GetParam());
  ASSERT_NE(payload, payloads.end()) << "no message is linked: add its context to Payloads()";
  const std::string example = ReadFile(GetParam(), kSuffix);
  const auto envelope = events::ParseEnvelope(example);
  ASSERT_TRUE(envelope.ok()) << envelope.status();
  const std::unique_ptr<google::protobuf::Message> message(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(payload->second)->New());
  const absl::Status parsed = envelope->ParsePayload(*message);
  ASSERT_TRUE(parsed.ok()) << parsed;

  const events::EventType& type = events::TypeOf(*payload->second);
  events::OutboxRow row;
  row.id = envelope->event_id();
  row.key = message->GetReflection()->GetString(*message, type.key);
  row.correlation_id = envelope->correlation_id();
  row.occurred_at = envelope->occurred_at();
  std::string written;
  ASSERT_TRUE(events::AppendEnvelope(*message, row, envelope->trace_id(), written).ok());
  EXPECT_EQ(Concat(written, "\n"), example);
}

TEST_P(Example, OfWhichTheSchemaRequiresWhatIsAlwaysWritten) {
  const auto payloads = Payloads();
  const auto payload = payloads.find(GetParam());
  ASSERT_NE(payload, payloads.end());
  std::string empty;
  ASSERT_TRUE(
      json::Append(*google::protobuf::MessageFactory::generated_factory()->GetPrototype(payload->second),
                   empty)
          .ok());
  rapidjson::Document written;
  written.Parse(empty.data(), empty.size());
  std::vector<std::string> names;
  for (const auto& member : written.GetObject()) names.emplace_back(member.name.GetString());

  const std::string text = ReadFile(GetParam(), ".schema.json");
  rapidjson::Document schema;
  schema.Parse(text.data(), text.size());
  ASSERT_FALSE(schema.HasParseError());
  std::vector<std::string> required;
  for (const auto& name : schema["properties"]["payload"]["required"].GetArray())
    required.emplace_back(name.GetString());
  EXPECT_EQ(required, names);
}

INSTANTIATE_TEST_SUITE_P(Events, Example, ::testing::ValuesIn(Types()), NameOf);

TEST(Examples, EveryTypeHasOne) {
  std::vector<std::string> types;
  for (const auto& [type, payload] : Payloads()) types.push_back(type);
  EXPECT_THAT(Types(), ::testing::UnorderedElementsAreArray(types));
}

}  // namespace
}  // namespace bv
