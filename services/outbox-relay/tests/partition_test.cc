// The outbox's partitions: made ahead, dropped only when they are old and everything in them is confirmed.
#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

#include "services/outbox-relay/store/outbox_store.h"
#include "services/outbox-relay/tests/relay_fixture.h"

namespace bv::relay {
namespace {

class PartitionTest : public RelayTest {
 protected:
  // A partition of a day long ago, as the relay would have made it then.
  void MakeOldPartition() const {
    database_.Query(
        "SET ROLE bv_relay; CREATE TABLE outbox.event_20200101 PARTITION OF outbox.event"
        " FOR VALUES FROM ('2020-01-01 00:00:00+00') TO ('2020-01-02 00:00:00+00')");
  }
  void InsertAt(const std::string& time, int number) const {
    database_.Query(
        absl::StrCat("INSERT INTO outbox.event (tenant_id, id, aggregatetype, aggregateid, type, payload, "
                     "aggregate_version, occurred_at)"
                     " VALUES ('demo', gen_random_uuid(), '",
                     topic_.name(), "', 'a', 'test.relay.counted.v1', '{}', ", number, ", '", time, "')"));
  }
  void WaitUntilConfirmed() const {
    const std::string position = database_.Query("SELECT pg_current_wal_lsn()");
    WaitFor(absl::StrCat("SELECT confirmed_flush_lsn >= '", position,
                         "' FROM pg_replication_slots WHERE slot_name = '", slot_, "'"),
            "t");
  }
  int Drop() {
    const absl::StatusOr<int> dropped = store_.DropPartitions(absl::Hours(72), slot_);
    EXPECT_TRUE(dropped.ok()) << dropped.status();
    return dropped.value_or(-1);
  }
  bool Exists(const std::string& partition) const {
    return !database_.Query(absl::StrCat("SELECT to_regclass('outbox.", partition, "')")).empty();
  }

  OutboxStore store_{database_.ConnectionOf("bv_relay")};
};

TEST_F(PartitionTest, AreMadeAheadOnce) {
  EXPECT_EQ(store_.MakePartitions(7).value_or(-1), 8);
  EXPECT_EQ(store_.MakePartitions(7).value_or(-1), 0);
  EXPECT_EQ(store_.MakePartitions(8).value_or(-1), 1);
  EXPECT_EQ(
      database_.Query("INSERT INTO outbox.event (tenant_id, id, aggregatetype, aggregateid, type, payload)"
                      " VALUES ('demo', gen_random_uuid(), 't', 'k', 'x', '{}')"
                      " RETURNING tableoid::regclass::text = 'outbox.event_' || to_char(now() AT TIME ZONE "
                      "'UTC', 'YYYYMMDD')"),
      "t");
}

TEST_F(PartitionTest, ADayWhoseRowsAreInTheDefaultPartitionIsLeftThere) {
  InsertAt("now", 1);
  EXPECT_EQ(store_.MakePartitions(2).value_or(-1), 2);
  EXPECT_EQ(database_.Query("SELECT count(*) FROM outbox.event_default"), "1");
}

TEST_F(PartitionTest, AreKeptWhileNobodyHasConfirmedThem) {
  ASSERT_TRUE(store_.EnsureSlot(slot_).ok());
  ASSERT_TRUE(store_.FinishRescan(slot_).ok());
  MakeOldPartition();
  InsertAt("2020-01-01 12:00:00+00", 1);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Drop(), 0);
  EXPECT_TRUE(Exists("event_20200101"));
}

TEST_F(PartitionTest, AreDroppedWhenOldAndConfirmed) {
  const auto relay = StartRelay();
  EXPECT_EQ(store_.MakePartitions(1).value_or(-1), 2);
  MakeOldPartition();
  InsertAt("2020-01-01 12:00:00+00", 1);
  EXPECT_EQ(Drop(), 0);  // only sealed
  // A row that comes later opens the seal.
  InsertAt("2020-01-01 13:00:00+00", 2);
  WaitUntilConfirmed();
  EXPECT_EQ(Drop(), 0);
  EXPECT_TRUE(Exists("event_20200101"));
  WaitUntilConfirmed();
  EXPECT_EQ(Drop(), 1);
  EXPECT_FALSE(Exists("event_20200101"));
  EXPECT_TRUE(Exists("event_default"));
  EXPECT_EQ(database_.Query("SELECT count(*) FROM outbox.seal"), "0");
  ExpectInOrder(ReadAll({"a"}, 2), {"a"}, 2);
}

TEST_F(PartitionTest, TheDefaultPartitionIsEmptiedWhenAllOfItIsOld) {
  const auto relay = StartRelay();
  InsertAt("2020-01-01 12:00:00+00", 1);
  InsertAt("now", 2);
  EXPECT_EQ(Drop(), 0);
  WaitUntilConfirmed();
  EXPECT_EQ(Drop(), 0);  // one row is young
  database_.Query("DELETE FROM outbox.event_default WHERE occurred_at > '2021-01-01'");
  EXPECT_EQ(Drop(), 0);
  WaitUntilConfirmed();
  EXPECT_EQ(Drop(), 1);
  EXPECT_EQ(database_.Query("SELECT count(*) FROM outbox.event_default"), "0");
}

TEST_F(PartitionTest, ALockOfAWriterPostponesTheDrop) {
  const auto relay = StartRelay();
  MakeOldPartition();
  EXPECT_EQ(Drop(), 0);
  WaitUntilConfirmed();
  pqxx::connection connection(database_.superuser_url());
  {
    pqxx::work open(connection);
    open.exec("LOCK TABLE outbox.event_20200101 IN ROW EXCLUSIVE MODE");
    EXPECT_EQ(Drop(), 0);
  }
  EXPECT_EQ(Drop(), 1);
}

}  // namespace
}  // namespace bv::relay
