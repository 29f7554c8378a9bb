// What arrives on Kafka, and in which order, while nothing goes wrong.
#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "services/outbox-relay/tests/relay_fixture.h"

namespace bv::relay {
namespace {

using PublishingTest = RelayTest;

TEST_F(PublishingTest, AnEventArrivesWithItsHeadersAndItsVeryBytes) {
  const auto relay = StartRelay();
  const std::string payload =
      "{ \"producer\" : \"order-service\",\n\t\"text\":\"ü €  \\u0000\", \"amount\":129.50, \"amount\":129.5 "
      "}";
  {
    pqxx::connection connection(database_.superuser_url());
    pqxx::work transaction(connection);
    transaction.exec_params(
        "INSERT INTO outbox.event (tenant_id, id, aggregatetype, aggregateid, type, payload, "
        "aggregate_version, occurred_at,"
        " traceparent, correlation_id) VALUES ('demo', '018bf9e5-5400-7fd4-b89a-60db4739b1a6', $1, 'ord_1',"
        " 'ecommerce.order.order.created.v1', $2, 7, '2026-11-21 02:08:00.5+02',"
        " '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'c-1')",
        topic_.name(), payload);
    transaction.commit();
  }
  const std::vector<Seen> seen = topic_.Read(1);
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].key, "ord_1");
  EXPECT_EQ(seen[0].value, payload);
  std::map<std::string, std::string> expected = {
      {"ce_id", "018bf9e5-5400-7fd4-b89a-60db4739b1a6"},
      {"ce_type", "ecommerce.order.order.created.v1"},
      {"ce_source", "order-service"},
      {"ce_time", "2026-11-21T00:08:00.500000Z"},
      {"ce_specversion", "1.0"},
      {"ce_partitionkey", "ord_1"},
      {"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
      {"aggregateVersion", "7"},
      {"tenantId", "demo"},
      {"correlationId", "c-1"},
  };
  EXPECT_EQ(seen[0].headers, expected);
}

TEST_F(PublishingTest, ARecordNamesItsSchemaAsSoonAsTheIdIsKnown) {
  Settings settings = MakeSettings();
  settings.schema_ids_file =
      absl::StrCat(std::filesystem::temp_directory_path().string(), "/", topic_.name());
  const auto relay = StartRelay(settings);
  const auto id_of = [](const Seen& seen) {
    const auto found = seen.headers.find("__value_schema_id");
    return found == seen.headers.end() ? std::string() : found->second;
  };
  int committed = 0;
  // An event more whenever the one before came without this id.
  const auto commit_until = [&](const std::string& id) {
    return topic_.ReadUntil([&](const std::vector<Seen>& seen) {
      if (!seen.empty() && id_of(seen.back()) == id) return true;
      if (seen.size() == static_cast<std::size_t>(committed)) Commit({{"key", ++committed}});
      return false;
    });
  };
  EXPECT_EQ(id_of(commit_until("").front()), "") << "there is no file";
  for (const char id : {7, 8}) {
    const std::string next = settings.schema_ids_file + ".next";
    std::ofstream(next) << "{\"test.relay.counted.v1\": " << int{id} << "}";
    std::filesystem::rename(next, settings.schema_ids_file);
    commit_until(std::string(4, '\0') + id);
  }
  std::filesystem::remove(settings.schema_ids_file);
}

TEST_F(PublishingTest, OrderIsThatOfTheCommitsNotOfTheInserts) {
  const auto relay = StartRelay();
  pqxx::connection first(database_.superuser_url());
  pqxx::connection second(database_.superuser_url());
  pqxx::work inserts_first(first);
  pqxx::work inserts_second(second);
  Insert(inserts_first, {"key", 1});
  Insert(inserts_second, {"key", 2});
  inserts_second.commit();
  inserts_first.commit();
  const std::vector<Seen> seen = topic_.Read(2);
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(EventOf(seen[0]).number, 2);
  EXPECT_EQ(EventOf(seen[1]).number, 1);
}

TEST_F(PublishingTest, WhatWasRolledBackIsNeverPublished) {
  const auto relay = StartRelay();
  {
    pqxx::connection connection(database_.superuser_url());
    pqxx::work rolled_back(connection);
    Insert(rolled_back, {"key", 100});
  }
  {
    pqxx::connection connection(database_.superuser_url());
    pqxx::work transaction(connection);
    Insert(transaction, {"key", 1});
    transaction.exec("SAVEPOINT before");
    Insert(transaction, {"key", 200});
    transaction.exec("ROLLBACK TO SAVEPOINT before");
    Insert(transaction, {"key", 2});
    transaction.commit();
  }
  const std::vector<Seen> seen = topic_.Read(2);
  ASSERT_EQ(seen.size(), 2u);
  ExpectInOrder(seen, {"key"}, 2);
}

TEST_F(PublishingTest, ATransactionLargerThanTheBoundsPassesThroughThem) {
  Settings settings = MakeSettings();
  settings.in_flight_records_max = 50;
  const auto relay = StartRelay(settings);
  database_.Query(absl::StrCat(
      "INSERT INTO outbox.event (tenant_id, id, aggregatetype, aggregateid, type, payload, aggregate_version)"
      " SELECT 'demo', gen_random_uuid(), '",
      topic_.name(), "', 'key', 'test.relay.counted.v1', '{}', g FROM generate_series(1, 5000) g"));
  const std::vector<Seen> seen = ReadAll({"key"}, 5000);
  EXPECT_EQ(seen.size(), 5000u);
  ExpectInOrder(seen, {"key"}, 5000);
}

TEST_F(PublishingTest, AStopInOrderPublishesNothingTwice) {
  for (int round = 0; round < 3; ++round) {
    const auto relay = StartRelay();
    for (int i = 1; i <= 50; ++i) Commit({{"a", 50 * round + i}, {"b", 50 * round + i}});
    ReadAll({"a", "b"}, 50 * (round + 1));
  }
  const std::vector<Seen> seen = ReadAll({"a", "b"}, 150);
  EXPECT_EQ(seen.size(), 300u);
  ExpectInOrder(seen, {"a", "b"}, 150);
}

// PostgreSQL is still sending when the relay goes, so what the relay says last crosses what it has not read.
TEST_F(PublishingTest, AStopWithABacklogPublishesNothingTwice) {
  // What is there before the slot is read from the table, and that has no position.
  Commit({{"first", 1}});
  StartRelay()->AwaitPublished(1);
  constexpr int kEvents = 30'000;
  constexpr int kEventsPerCommit = 5;
  {
    pqxx::connection connection(database_.superuser_url());
    pqxx::nontransaction session(connection);
    session.exec("SET synchronous_commit = off");
    for (int first = 1; first <= kEvents; first += kEventsPerCommit) {
      session.exec_params(
          "INSERT INTO outbox.event (tenant_id, id, aggregatetype, aggregateid, type, payload, "
          "aggregate_version)"
          " SELECT 'demo', gen_random_uuid(), $1, 'key', 'test.relay.counted.v1', '{}', number"
          " FROM generate_series($2::int, $3::int) AS number",
          topic_.name(), first, first + kEventsPerCommit - 1);
    }
  }
  Settings settings = MakeSettings();
  settings.in_flight_records_max = 100;
  for (int round = 0; round < 10; ++round) StartRelay(settings)->AwaitPublished(500);
  const auto relay = StartRelay();
  const std::vector<Seen> seen = ReadAll({"key"}, kEvents);
  EXPECT_EQ(seen.size(), std::size_t{kEvents} + 1);
  ExpectInOrder(seen, {"key"}, kEvents);
}

TEST_F(PublishingTest, AnIdleRelayReleasesTheLogOfOthers) {
  const auto relay = StartRelay();
  database_.Query("CREATE TABLE public.unrelated AS SELECT repeat('x', 1000) FROM generate_series(1, 10000)");
  const std::string position = database_.Query("SELECT pg_current_wal_lsn()");
  WaitFor(absl::StrCat("SELECT confirmed_flush_lsn >= '", position,
                       "' FROM pg_replication_slots WHERE slot_name = '", slot_, "'"),
          "t");
}

TEST_F(PublishingTest, WritersWriteForTheirTenantAndReadNothing) {
  pqxx::connection connection(postgres::ConnectionUri(database_.ConnectionOf("bv_order")));
  const auto insert = [&](const std::string& tenant) {
    pqxx::work transaction(connection);
    transaction.exec("SELECT set_config('bv.tenants', 'demo,other', true)");
    transaction.exec_params(
        "INSERT INTO outbox.event (tenant_id, id, aggregatetype, aggregateid, type, payload)"
        " VALUES ($1, gen_random_uuid(), $2, 'key', 'test.relay.counted.v1', '{}')",
        tenant, topic_.name());
    transaction.commit();
  };
  EXPECT_NO_THROW(insert("demo"));
  EXPECT_NO_THROW(insert("other"));
  EXPECT_THROW(insert("third"), pqxx::sql_error);
  pqxx::work transaction(connection);
  EXPECT_THROW(transaction.exec("SELECT * FROM outbox.event"), pqxx::sql_error);
}

}  // namespace
}  // namespace bv::relay
