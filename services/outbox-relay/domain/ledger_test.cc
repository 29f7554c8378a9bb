#include "services/outbox-relay/domain/ledger.h"

#include <gtest/gtest.h>

#include <random>

namespace bv::relay {
namespace {

TEST(Ledger, ConfirmsATransactionOnlyWhenEveryRowIsAcknowledged) {
  Ledger ledger;
  ledger.Begin();
  const auto first = ledger.Add(10, {});
  const auto second = ledger.Add(20, {});
  EXPECT_EQ(ledger.bytes_in_flight(), 30u);
  ledger.Acknowledge(first);
  ledger.Commit(100);
  EXPECT_EQ(ledger.confirmed(), 0u);
  ledger.Acknowledge(second);
  EXPECT_EQ(ledger.confirmed(), 100u);
  EXPECT_EQ(ledger.records_in_flight(), 0u);
  EXPECT_EQ(ledger.bytes_in_flight(), 0u);
}

TEST(Ledger, DoesNotConfirmATransactionWhoseCommitIsNotReadYet) {
  Ledger ledger;
  ledger.Begin();
  ledger.Acknowledge(ledger.Add(1, {}));
  ledger.Idle(50);
  EXPECT_EQ(ledger.confirmed(), 0u);
  ledger.Commit(100);
  EXPECT_EQ(ledger.confirmed(), 100u);
}

TEST(Ledger, ALaterTransactionWaitsForTheEarlierOnes) {
  Ledger ledger;
  ledger.Begin();
  const auto early = ledger.Add(1, {});
  ledger.Commit(100);
  ledger.Begin();
  const auto late = ledger.Add(1, {});
  ledger.Commit(200);
  ledger.Begin();
  ledger.Commit(300);  // without rows
  ledger.Acknowledge(late);
  EXPECT_EQ(ledger.confirmed(), 0u);
  ledger.Acknowledge(early);
  EXPECT_EQ(ledger.confirmed(), 300u);
}

TEST(Ledger, FollowsTheIdleLogButNeverBack) {
  Ledger ledger;
  ledger.Idle(500);
  EXPECT_EQ(ledger.confirmed(), 500u);
  ledger.Idle(400);
  EXPECT_EQ(ledger.confirmed(), 500u);
  ledger.Begin();
  ledger.Idle(550);  // the server speaks up between a transaction's begin and its first row
  EXPECT_EQ(ledger.confirmed(), 500u);
  const auto tag = ledger.Add(1, {});
  ledger.Commit(600);
  ledger.Idle(700);
  EXPECT_EQ(ledger.confirmed(), 500u);
  ledger.Acknowledge(tag);
  EXPECT_EQ(ledger.confirmed(), 600u);
}

TEST(Ledger, KnowsTheOldestRecordThatIsNotAcknowledged) {
  Ledger ledger;
  EXPECT_EQ(ledger.oldest_commit(), absl::InfinitePast());
  const auto first = ledger.Add(1, {.commit_time = absl::FromUnixSeconds(7)});
  const auto second = ledger.Add(1, {.commit_time = absl::FromUnixSeconds(8)});
  EXPECT_EQ(ledger.oldest_commit(), absl::FromUnixSeconds(7));
  ledger.Acknowledge(second);
  EXPECT_EQ(ledger.oldest_commit(), absl::FromUnixSeconds(7));
  ledger.Acknowledge(first);
  EXPECT_EQ(ledger.oldest_commit(), absl::InfinitePast());
}

TEST(Ledger, ReturnsTheNoteOnce) {
  Ledger ledger;
  const std::string type = "ecommerce.order.order.created.v1";
  const auto tag = ledger.Add(1, {.commit_time = absl::FromUnixSeconds(7), .event_type = &type});
  EXPECT_FALSE(ledger.Acknowledge(0).has_value());
  EXPECT_FALSE(ledger.Acknowledge(tag + 1).has_value());
  EXPECT_EQ(ledger.Find(tag)->event_type, &type);
  EXPECT_EQ(ledger.records_in_flight(), 1u);
  const auto note = ledger.Acknowledge(tag);
  ASSERT_TRUE(note.has_value());
  EXPECT_EQ(note->commit_time, absl::FromUnixSeconds(7));
  EXPECT_EQ(note->event_type, &type);
  EXPECT_FALSE(ledger.Find(tag).has_value());
  EXPECT_FALSE(ledger.Acknowledge(tag).has_value());
}

// Acknowledgements in any order between partitions: at every step the confirmed position is that of the
// longest prefix of complete transactions.
TEST(Ledger, AgreesWithAPlainModelForRandomOrders) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    Ledger ledger;
    std::vector<std::vector<std::uint64_t>> transactions;
    std::vector<std::uint64_t> open;
    for (Lsn lsn = 1; lsn <= 20; ++lsn) {
      ledger.Begin();
      transactions.emplace_back();
      for (unsigned rows = random() % 4; rows > 0; --rows) transactions.back().push_back(ledger.Add(1, {}));
      open.insert(open.end(), transactions.back().begin(), transactions.back().end());
      ledger.Commit(lsn);
    }
    std::shuffle(open.begin(), open.end(), random);
    while (!open.empty()) {
      ledger.Acknowledge(open.back());
      open.pop_back();
      const auto is_open = [&](std::uint64_t tag) {
        return std::find(open.begin(), open.end(), tag) != open.end();
      };
      Lsn expected = 0;
      while (expected < transactions.size() &&
             std::none_of(transactions[expected].begin(), transactions[expected].end(), is_open)) {
        ++expected;
      }
      ASSERT_EQ(ledger.confirmed(), expected);
      ASSERT_EQ(ledger.records_in_flight(), open.size());
    }
  }
}

}  // namespace
}  // namespace bv::relay
