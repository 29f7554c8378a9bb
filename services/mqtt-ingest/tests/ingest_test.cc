// From a device to the topic, over the real broker and the real Kafka.
#include <thread>

#include "libs/base/strings.h"
#include "libs/telemetry/telemetry.h"
#include "libs/testing/kafka/broker_link.h"
#include "services/mqtt-ingest/tests/ingest_fixture.h"

namespace bv::mqtt_ingest {
namespace {

using IngestTest = IngestFixture;

constexpr int kRefused = 0x87;

TEST_F(IngestTest, AReportBecomesAnEventOfItsTenant) {
  Introduce();
  Start();
  const auto press = DeviceOf("acme/press-1"), other = DeviceOf("globex/press-1");
  EXPECT_EQ(press->Publish(kTopic, ReportOf(-2, "a1")), 0);
  EXPECT_EQ(other->Publish(kTopic, ReportOf(3, "a1")), 0);
  EXPECT_EQ(press->Publish(kTopic, ReportOf(4)), 0);
  const std::set<std::string> events = WaitForEvents(4);
  EXPECT_TRUE(events.contains("acme press-1 a1 -2"));
  EXPECT_TRUE(events.contains("globex press-1 a1 3"));
  EXPECT_EQ(dead_letters_.ReadUntil([](const auto&) { return true; }).size(), 0U);
}

// Whatever a device may do, it speaks for itself only, and of its own SKUs.
TEST_F(IngestTest, NobodySpeaksForAnother) {
  Introduce();
  Start();
  const auto press = DeviceOf("acme/press-1");
  EXPECT_EQ(press->Publish("iot/inventory/MUG/delta", ReportOf(1)), kRefused) << "not its SKU";
  EXPECT_EQ(press->Publish(kTopic, ReportOf(1), {{"account", "globex/press-1"}}), kRefused);
  EXPECT_EQ(press->Publish(kTopic, ReportOf(1), {{"account-key", "guess"}}), kRefused);
  EXPECT_EQ(press->Publish(kTopic, ReportOf(1), {{"message", "first"}}), kRefused);
  EXPECT_EQ(press->Publish(kTopic, ReportOf(7, "honest"), {{"colour", "red"}}), 0);
  testing::Device stranger({.address = broker_.address(), .user = "acme/press-1", .password = "guess"});
  EXPECT_EQ(stranger.Publish(kTopic, ReportOf(1)), kRefused);
  testing::Device nobody({.address = broker_.address(), .user = "acme/press-9", .password = "speak"});
  EXPECT_EQ(nobody.Publish(kTopic, ReportOf(1)), kRefused);
  EXPECT_TRUE(WaitForEvents(2).contains("acme press-1 honest 7"));
}

// A will does not pass by the broker's plugin, so what it says of the account is the device's own claim.
TEST_F(IngestTest, AWillIsTakenForNobodys) {
  Introduce();
  Start();
  testing::Device dying({.address = broker_.address(),
                         .user = "acme/press-1",
                         .password = "speak",
                         .will_topic = kTopic,
                         .will_payload = ReportOf(100, "will"),
                         .will_properties = {{"account", "globex/press-1"}, {"account-key", "guess"}}});
  ASSERT_EQ(dying.Connect(), 0);
  dying.Vanish();
  EXPECT_EQ(WaitForReasons(1), (std::multiset<std::string>{"ACCOUNT_MISSING"}));
  EXPECT_EQ(DeviceOf("acme/press-1")->Publish(kTopic, ReportOf(5, "after")), 0);
  EXPECT_TRUE(WaitForEvents(2).contains("acme press-1 after 5"));
}

TEST_F(IngestTest, GarbageIsPutAsideAndHoldsUpNobody) {
  Introduce();
  Start();
  const auto press = DeviceOf("acme/press-1");
  const std::vector<std::string> garbage = {
      "",           "delta",        "{}",         std::string(60'000, '['),
      ReportOf(0),  "{\"delta\":1", "\xff\xfe\0", R"({"delta": 1, "reason": "?"})",
      "[\"delta\"]"};
  for (std::size_t i = 0; i < garbage.size(); ++i) {
    EXPECT_EQ(press->Publish(kTopic, garbage[i]), 0);
    EXPECT_EQ(press->Publish(kTopic, ReportOf(1, Concat("good-", i))), 0);
  }
  WaitForEvents(garbage.size() + 1);
  EXPECT_EQ(WaitForReasons(garbage.size()).count("PAYLOAD_TOO_LARGE"), 1U);
  const std::vector<testing::Seen> letters = dead_letters_.Read(garbage.size());
  EXPECT_EQ(letters[1].value, "delta");
  EXPECT_EQ(letters[1].headers.at("account"), "acme/press-1");
  EXPECT_EQ(letters[1].headers.at("__connect.errors.topic"), kTopic);
  EXPECT_EQ(letters[3].headers.at("payloadBytes"), "60000");
  EXPECT_EQ(letters[3].value.size(), kPayloadBytesKept);
}

TEST_F(IngestTest, AFloodOfManyDevicesArrives) {
  constexpr int kDevices = 3, kEach = 4'000;
  Introduce();
  Start();
  std::vector<std::thread> presses;
  for (const char* account : {"acme/press-1", "acme/press-2", "globex/press-1"}) {
    presses.emplace_back([&, account] {
      const auto device = DeviceOf(account);
      for (int i = 0; i < kEach; ++i) device->Hand(kTopic, ReportOf(1, std::to_string(i)), 100);
      EXPECT_TRUE(device->Flush());
    });
  }
  for (std::thread& press : presses) press.join();
  EXPECT_EQ(AllEvents().size(), static_cast<std::size_t>(kDevices * kEach + 1));
}

// The broker's own ids, since the devices state none: a message that it delivers twice is the same event
// twice.
TEST_F(IngestTest, WhileTheBrokerRestartsNothingIsLostOrDoubled) {
  constexpr int kReports = 300;
  Introduce();
  Start();
  const auto press = DeviceOf("acme/press-1");
  int published = 0;
  for (int i = 0; i < kReports; ++i) {
    if (i % 100 == 50) {
      broker_.Stop();
      broker_.Start();
    }
    // What was not acknowledged may be there or not: only what surely is counts here.
    if (press->Publish(kTopic, ReportOf(1)) == 0) ++published;
  }
  // The one of each restart may be there or not, and the first one is.
  EXPECT_GE(published, kReports - 3);
  const std::size_t events = AllEvents().size();
  EXPECT_GE(events, static_cast<std::size_t>(published) + 1);
  EXPECT_LE(events, static_cast<std::size_t>(kReports) + 1);
}

TEST_F(IngestTest, WhileTheServiceIsAwayTheBrokerKeepsWhatComes) {
  Introduce();
  const auto press = DeviceOf("acme/press-1");
  for (int i = 0; i < 500; ++i) EXPECT_EQ(press->Publish(kTopic, ReportOf(1, std::to_string(i))), 0);
  // And writes it down with itself.
  broker_.Stop();
  broker_.Start();
  Start();
  WaitForEvents(501);
}

// Killed at any moment: what a device was told to be taken is in Kafka, once by its id.
TEST_F(IngestTest, KilledAgainAndAgainItLosesNothing) {
  constexpr int kReports = 10'000, kKills = 8;
  Introduce();
  std::thread press([&] {
    const auto device = DeviceOf("acme/press-1");
    for (int i = 0; i < kReports; ++i) device->Hand(kTopic, ReportOf(1), 50);
    EXPECT_TRUE(device->Flush());
  });
  for (int i = 0; i < kKills; ++i) {
    const std::uintmax_t before = JournalBytes();
    StartProgram();
    // In the middle of it: all that is to come takes more than so many of these.
    while (JournalBytes() < before + 20'000) std::this_thread::yield();
    KillProgram();
  }
  StartProgram();
  press.join();
  // The broker's id makes each of them one.
  EXPECT_EQ(AllEvents().size(), static_cast<std::size_t>(kReports + 1));
}

TEST_F(IngestTest, WhatItTookWithoutKafkaOutlivesIt) {
  constexpr int kReports = 500;
  Introduce();
  StartProgram("127.0.0.1:1");
  const auto press = DeviceOf("acme/press-1");
  for (int i = 0; i < kReports; ++i) press->Hand(kTopic, ReportOf(1), 100);
  ASSERT_TRUE(press->Flush());
  while (JournalBytes() < kReports * 100) std::this_thread::yield();
  KillProgram();
  StartProgram();
  EXPECT_EQ(AllEvents().size(), static_cast<std::size_t>(kReports + 1));
}

TEST_F(IngestTest, WithoutKafkaTheJournalTakesWhatComes) {
  constexpr int kReports = 2'000;
  Introduce();
  StartWriting();
  const auto press = DeviceOf("acme/press-1");
  {
    const testing::BrokerOutage outage;
    for (int i = 0; i < kReports; ++i) press->Hand(kTopic, ReportOf(1, std::to_string(i)), 100);
    ASSERT_TRUE(press->Flush());
    while (journal_->bytes() < kReports * 100) std::this_thread::yield();
  }
  WaitForEvents(kReports + 2);
  while (journal_->bytes() > 0) std::this_thread::yield();
}

TEST_F(IngestTest, AFullJournalLeavesTheRestAtTheBroker) {
  constexpr int kReports = 8'000;
  journal_settings_.bytes_max = 1 << 20;
  Introduce();
  StartWriting();
  const auto press = DeviceOf("acme/press-1");
  {
    const testing::BrokerOutage outage;
    for (int i = 0; i < kReports; ++i) press->Hand(kTopic, ReportOf(1, std::to_string(i)), 100);
    ASSERT_TRUE(press->Flush()) << "the broker takes it";
    const prometheus::Counter& waits = telemetry::Counter("mqtt_ingest_waits_total", "");
    while (waits.Value() == 0) std::this_thread::yield();
    EXPECT_LE(journal_->bytes(), journal_settings_.bytes_max);
  }
  WaitForEvents(kReports + 2);
}

}  // namespace
}  // namespace bv::mqtt_ingest
