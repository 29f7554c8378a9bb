#include "services/outbox-relay/tests/relay_fixture.h"

#include <map>
#include <set>
#include <thread>

#include "libs/base/strings.h"

namespace bv::relay {

RunningRelay::RunningRelay(const Settings& settings, const std::vector<kafka::TopicSpec>& topics)
    : settings_(settings), relay_(std::make_unique<Relay>(settings_, topics, metrics_, stop_)) {
  EXPECT_TRUE(relay_->Prepare().ok());
  relay_->Start();
}

void RunningRelay::AwaitPublished(int count) const {
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  const auto published = [this] { return metrics_.published.Value() - published_before_; };
  while (published() < count && absl::Now() < deadline) std::this_thread::yield();
  EXPECT_GE(published(), count);
}

void RunningRelay::Stop() {
  stop_.Set(absl::Now() + absl::Seconds(20));
  relay_->Join();
}

void RunningRelay::Abandon() {
  stop_.Set(absl::InfinitePast());
  relay_->Join();
}

RelayTest::RelayTest() : slot_(Concat(database_.name(), "_slot")) {}

RelayTest::~RelayTest() {
  WaitFor(Concat("SELECT count(*) FROM pg_replication_slots WHERE active AND slot_name = '", slot_, "'"),
          "0");
  database_.Query(
      Concat("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '",
             slot_, "'"));
}

Settings RelayTest::MakeSettings() const {
  Settings settings;
  settings.postgres = database_.ConnectionOf("bv_relay");
  settings.kafka = {.brokers = testing::Environment("BV_KAFKA_BROKERS"),
                    .client_id = "outbox-relay-test",
                    .compression = "lz4",
                    .message_bytes_max = 1 << 20,
                    .request_timeout = absl::Seconds(10)};
  settings.slot = slot_;
  settings.in_flight_records_max = 10'000;
  settings.in_flight_bytes_max = 32 << 20;
  settings.status_interval = absl::Milliseconds(20);
  settings.standby_interval = absl::Milliseconds(50);
  settings.backoff_min = absl::Milliseconds(20);
  settings.backoff_max = absl::Milliseconds(200);
  settings.lag_interval = absl::Seconds(1);
  settings.housekeeping_interval = absl::Hours(1);
  settings.partition_days_ahead = 1;
  settings.retention = absl::Hours(72);
  return settings;
}

void RelayTest::Insert(pqxx::transaction_base& transaction, const Event& event) const {
  transaction.exec_params(
      "INSERT INTO outbox.event (tenant_id, id, aggregatetype, aggregateid, type, payload, aggregate_version)"
      " VALUES ('demo', gen_random_uuid(), $1, $2, 'test.relay.counted.v1', $3, $4)",
      topic_.name(), event.key, Concat(R"({"producer":"test","payload":)", event.number, "}"), event.number);
}

void RelayTest::Commit(const std::vector<Event>& events) const {
  pqxx::connection connection(database_.superuser_url());
  pqxx::work transaction(connection);
  for (const Event& event : events) Insert(transaction, event);
  transaction.commit();
}

Event RelayTest::EventOf(const Seen& seen) {
  return {.key = seen.key, .number = std::atoi(seen.headers.at("aggregateVersion").c_str())};
}

void RelayTest::WaitFor(const std::string& sql, const std::string& answer) const {
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  std::string last;
  while ((last = database_.Query(sql)) != answer && absl::Now() < deadline) {
  }
  EXPECT_EQ(last, answer) << sql;
}

std::vector<Seen> RelayTest::ReadAll(const std::vector<std::string>& keys, int last) const {
  const std::set<std::string> wanted(keys.begin(), keys.end());
  std::set<std::pair<std::string, int>> found;
  std::size_t looked_at = 0;
  return topic_.ReadUntil([&](const std::vector<Seen>& seen) {
    for (; looked_at < seen.size(); ++looked_at) {
      const Event event = EventOf(seen[looked_at]);
      if (wanted.contains(event.key) && event.number <= last) found.emplace(event.key, event.number);
    }
    return found.size() == wanted.size() * static_cast<std::size_t>(last);
  });
}

void RelayTest::ExpectInOrder(const std::vector<Seen>& seen, const std::vector<std::string>& keys, int last) {
  std::map<std::string, int> highest;
  for (const Seen& record : seen) {
    const Event event = EventOf(record);
    int& before = highest[event.key];
    EXPECT_LE(event.number, before + 1) << event.key << " jumps from " << before;
    before = std::max(before, event.number);
  }
  for (const std::string& key : keys) EXPECT_EQ(highest[key], last) << key;
}

}  // namespace bv::relay
