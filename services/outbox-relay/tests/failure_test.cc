// Nothing is lost and no order is lost, whatever goes away: Kafka, PostgreSQL, a topic, the slot, the leader.
#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

#include <thread>

#include "libs/testing/kafka/broker_link.h"
#include "services/outbox-relay/tests/relay_fixture.h"

namespace bv::relay {
namespace {

using FailureTest = RelayTest;

void WaitForBlocked(double value) {
  const prometheus::Gauge& blocked = Metrics().blocked;
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  while (blocked.Value() != value && absl::Now() < deadline) std::this_thread::yield();
  EXPECT_EQ(blocked.Value(), value);
}

TEST_F(FailureTest, KafkaAwayAtTheStart) {
  std::unique_ptr<RunningRelay> relay;
  std::thread starting;
  {
    const testing::BrokerOutage outage;
    starting = std::thread([&] { relay = StartRelay(); });
    // From the slot on nothing is missed.
    WaitFor(absl::StrCat("SELECT count(*) FROM pg_replication_slots WHERE slot_name = '", slot_, "'"), "1");
    for (int i = 1; i <= 20; ++i) Commit({{"a", i}, {"b", i}});
  }
  ExpectInOrder(ReadAll({"a", "b"}, 20), {"a", "b"}, 20);
  starting.join();
}

TEST_F(FailureTest, KafkaAwayInBetween) {
  Settings settings = MakeSettings();
  settings.in_flight_records_max = 20;  // so that the log waits, too
  const auto relay = StartRelay(settings);
  int number = 0;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 20; ++i) Commit({{"a", ++number}, {"b", number}});
    const testing::BrokerOutage outage;
    for (int i = 0; i < 20; ++i) Commit({{"a", ++number}, {"b", number}});
  }
  ExpectInOrder(ReadAll({"a", "b"}, number), {"a", "b"}, number);
}

TEST_F(FailureTest, TheReplicationConnectionIsCut) {
  const auto relay = StartRelay();
  int number = 0;
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 20; ++i) Commit({{"a", ++number}, {"b", number}});
    WaitFor(
        absl::StrCat(
            "SELECT count(pg_terminate_backend(active_pid)) FROM pg_replication_slots WHERE slot_name = '",
            slot_, "' AND active"),
        "1");
  }
  for (int i = 0; i < 20; ++i) Commit({{"a", ++number}, {"b", number}});
  ExpectInOrder(ReadAll({"a", "b"}, number), {"a", "b"}, number);
}

TEST_F(FailureTest, AStandbyTakesOver) {
  auto leader = StartRelay();
  Commit({{"a", 1}});
  ReadAll({"a"}, 1);
  const auto standby = StartRelay();
  Commit({{"a", 2}});
  leader->Abandon();
  Commit({{"a", 3}});
  ExpectInOrder(ReadAll({"a"}, 3), {"a"}, 3);
}

TEST_F(FailureTest, ALostSlotIsRecoveredFromTheRetainedEvents) {
  {
    const auto relay = StartRelay();
    for (int i = 1; i <= 600; ++i) Commit({{"a", i}});
    ReadAll({"a"}, 600);
  }
  for (int i = 601; i <= 700; ++i) Commit({{"a", i}});
  WaitFor(
      absl::StrCat("SELECT count(*) FROM pg_replication_slots WHERE active AND slot_name = '", slot_, "'"),
      "0");
  database_.Query(absl::StrCat("SELECT pg_drop_replication_slot('", slot_, "')"));
  for (int i = 701; i <= 720; ++i) Commit({{"a", i}});
  const auto relay = StartRelay();
  Commit({{"a", 721}});
  const std::vector<Seen> seen = ReadAll({"a"}, 721);
  ExpectInOrder(seen, {"a"}, 721);
  WaitFor("SELECT rescan_pending FROM outbox.slot", "f");
}

TEST_F(FailureTest, AnUnknownTopicStopsTheLogUntilItExists) {
  const auto relay = StartRelay();
  const KafkaTopic unknown;
  database_.Query(absl::StrCat(
      "INSERT INTO outbox.event (tenant_id, id, aggregatetype, aggregateid, type, payload, aggregate_version)"
      " VALUES ('demo', gen_random_uuid(), '",
      unknown.name(), "', 'k', 'test.relay.counted.v1', '{}', 1)"));
  for (int i = 1; i <= 20; ++i) Commit({{"a", i}});
  WaitForBlocked(1);
  unknown.Create(1);
  EXPECT_EQ(unknown.Read(1).size(), 1u);
  ExpectInOrder(ReadAll({"a"}, 20), {"a"}, 20);
  WaitForBlocked(0);
}

TEST_F(FailureTest, ARecordThatTheBrokerRefusesIsNotOvertaken) {
  topic_.Create(3, {{"max.message.bytes", "2000"}});
  const auto relay = StartRelay();
  Commit({{"a", 1}});
  // Random text, which compression does not make small.
  database_.Query(absl::StrCat(
      "INSERT INTO outbox.event (tenant_id, id, aggregatetype, aggregateid, type, payload, aggregate_version)"
      " SELECT 'demo', gen_random_uuid(), '",
      topic_.name(),
      "', 'a', 'test.relay.counted.v1',"
      " (SELECT string_agg(md5(random()::text), '') FROM generate_series(1, 200)), 2"));
  for (int i = 3; i <= 30; ++i) Commit({{"a", i}});
  WaitForBlocked(1);
  topic_.SetConfig("max.message.bytes", "1000000");
  ExpectInOrder(ReadAll({"a"}, 30), {"a"}, 30);
}

}  // namespace
}  // namespace bv::relay
