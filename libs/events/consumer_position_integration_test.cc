#include <random>

#include "libs/base/macros.h"
#include "libs/events/consumer_fixture_test.h"
#include "libs/events/consumer_position.h"

namespace bv::events {
namespace {

// A sink that is not idempotent by itself: it appends each event's number to the text of its key.
class PositionTest : public ConsumerFixture {
 protected:
  PositionTest() : positions_(options_.group) {
    pqxx::connection connection(postgres::ConnectionUri(database_.Connection()));
    pqxx::work work(connection);
    work.exec(kPositionTables);
    work.exec("CREATE TABLE sink (key text PRIMARY KEY, numbers text NOT NULL)");
    work.commit();
    options_.set_aside = [this](std::span<const SetAside> set_aside) {
      return positions_.Note(session_, set_aside);
    };
    options_.retry_pauses = std::vector<absl::Duration>(100, absl::Milliseconds(50));
  }

  absl::Status Append(std::span<const Event> events) {
    static constexpr postgres::Statement kAppend{"sink_append", R"sql(
      INSERT INTO sink (key, numbers) VALUES ($1, $2)
      ON CONFLICT (key) DO UPDATE SET numbers = sink.numbers || ' ' || excluded.numbers
    )sql"};
    return session_.Transact({}, [&](postgres::Session& session) {
      for (const Event* event : positions_.Take(session, events)) {
        const std::string number = Book::NumberOf(*event);
        session.Exec(kAppend, event->message.key, number);
        if (IsSick(number)) return absl::InternalError(number + " is sick");
      }
      return absl::OkStatus();
    });
  }
  std::string NumbersOf(const std::string& key) const {
    return database_.Query("SELECT numbers FROM orders.sink WHERE key = '" + key + "'");
  }

  testing::Database database_{"order"};
  postgres::Session session_{database_.Connection(), postgres::Plans::kDefault};
  const Positions positions_;
};

TEST_F(PositionTest, WhateverComesTwiceAndWheneverItRestartsTheEffectIsTheSame) {
  constexpr int kKeys = 6;
  constexpr int kEvents = 240;
  std::mt19937 random(20261121);
  std::map<std::string, std::string> expected;
  std::vector<testing::Written> records;
  for (int i = 0; i < kEvents; ++i) {
    const std::string key = Concat("key-", random() % kKeys);
    expected[key] += Concat(expected[key].empty() ? "" : " ", i);
    records.push_back(EventOf(key, Concat(i)));
    if (i % 40 == 7) Infect(Concat(i));
  }
  // Of the consumer's thread.
  std::mt19937 chance(7);
  std::atomic<int> batches{0};
  const Consumer::Handle handle = [&](std::span<const Event> events) -> absl::StatusOr<Answers> {
    ++batches;
    RETURN_IF_ERROR(Append(events));
    // As if the answer to the commit had been lost.
    if (chance() % 4 == 0) return absl::UnavailableError("nobody knows whether it was committed");
    return AllDone(events);
  };
  kafka::ConsumerSettings settings = Settings();
  settings.instance_id = "one";
  settings.batch_max = 9;
  for (int restart = 0; restart < 6; ++restart) {
    topic_.Write({records.begin() + restart * 40, records.begin() + (restart + 1) * 40});
    const int before = batches;
    const auto consumer = Start(settings, handle);
    WaitUntil([&] { return batches >= before + 8; });
    if (restart == 4) Cure();
    // Without Stop: what was handled since the last commit comes again.
  }
  const auto consumer = Start(settings, handle);
  for (const auto& [key, numbers] : expected) {
    WaitUntil([&] { return NumbersOf(key).size() >= numbers.size(); });
    EXPECT_EQ(NumbersOf(key), numbers) << key;
  }
  WaitUntil([&] { return ParkedEvents() == 0; });
  for (const auto& [key, numbers] : expected) EXPECT_EQ(NumbersOf(key), numbers) << key;
}

}  // namespace
}  // namespace bv::events
