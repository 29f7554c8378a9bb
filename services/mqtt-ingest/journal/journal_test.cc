#include "services/mqtt-ingest/journal/journal.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include "libs/base/error.h"
#include "libs/testing/temporary_folder.h"
#include "services/mqtt-ingest/journal/frame.h"

namespace bv::mqtt_ingest {
namespace {

namespace fs = std::filesystem;

class JournalTest : public ::testing::Test {
 protected:
  JournalTest() {
    settings_ = {.directory = folder_.File("j"),
                 .bytes_max = 1 << 20,
                 .segment_bytes = 4'096,
                 .sync_interval = absl::Milliseconds(5)};
  }

  std::unique_ptr<Journal> Open() {
    auto journal = Journal::Open(settings_);
    EXPECT_TRUE(journal.ok()) << journal.status();
    return *std::move(journal);
  }
  // Of one batch; it stays in the journal.
  static std::vector<std::string> Peek(Journal& journal) {
    return journal.Read(1 << 20, absl::ZeroDuration())->records;
  }
  // All that waits, stored.
  static std::vector<std::string> TakeAll(Journal& journal) {
    std::vector<std::string> all;
    while (journal.bytes() > 0) {
      auto batch = journal.Read(1 << 20, absl::ZeroDuration());
      if (!batch.ok()) break;
      all.insert(all.end(), batch->records.begin(), batch->records.end());
      EXPECT_TRUE(journal.Store(batch->end).ok());
    }
    return all;
  }
  std::vector<fs::path> Segments() const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(settings_.directory)) {
      if (entry.path().extension() == ".segment") found.push_back(entry.path());
    }
    std::ranges::sort(found);
    return found;
  }

  struct Child {
    pid_t pid;
    // Where it says the numbers of its records that are safe, from 1 on.
    int said;
  };
  Child StartWriter(int life) const {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    const pid_t pid = fork();
    if (pid != 0) {
      close(ends[1]);
      return {pid, ends[0]};
    }
    auto journal = Journal::Open(settings_);
    for (int number = 1; journal.ok(); ++number) {
      const std::string padding(static_cast<std::size_t>(number) % 300, '.');
      if (!(*journal)->Append(std::to_string(life) + " " + std::to_string(number) + padding).ok()) break;
      if (write(ends[1], &number, sizeof number) != sizeof number) break;
    }
    _exit(1);
  }

  testing::TemporaryFolder folder_;
  JournalSettings settings_;
};

TEST(FrameTest, TheChecksumIsCrc32c) {
  // The check value of the polynomial's catalogue, and of RFC 3720, B.4.
  EXPECT_EQ(Crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8A9136AAU);
}

TEST(FrameTest, EveryBitOfAFrameCounts) {
  std::string frame;
  AppendFrame("a record", frame);
  ASSERT_EQ(ReadFrame(frame, 100)->record, "a record");
  EXPECT_FALSE(ReadFrame(frame, 7));
  EXPECT_FALSE(ReadFrame(std::string(64, '\0'), 100));
  for (std::size_t size = 0; size < frame.size(); ++size)
    EXPECT_FALSE(ReadFrame(frame.substr(0, size), 100)) << size;
  for (std::size_t bit = 0; bit < frame.size() * 8; ++bit) {
    std::string spoilt = frame;
    spoilt[bit / 8] = static_cast<char>(spoilt[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(ReadFrame(spoilt, 100)) << bit;
  }
}

TEST_F(JournalTest, GivesWhatItGotInItsOrder) {
  const auto journal = Open();
  EXPECT_TRUE(Peek(*journal).empty());
  for (const char* record : {"one", "", "three"}) ASSERT_TRUE(journal->Append(record).ok());
  EXPECT_EQ(Peek(*journal), (std::vector<std::string>{"one", "", "three"}));
  EXPECT_EQ(TakeAll(*journal), (std::vector<std::string>{"one", "", "three"}));
  EXPECT_EQ(journal->bytes(), 0);
}

TEST_F(JournalTest, WhatIsNotStoredIsThereAfterARestart) {
  {
    const auto journal = Open();
    for (int i = 0; i < 1'000; ++i) ASSERT_TRUE(journal->Append(std::to_string(i)).ok());
    const auto batch = journal->Read(1, absl::ZeroDuration());
    ASSERT_TRUE(journal->Store(batch->end).ok());
    ASSERT_LT(batch->records.size(), 1'000U);
  }
  const auto journal = Open();
  const std::vector<std::string> rest = TakeAll(*journal);
  ASSERT_FALSE(rest.empty());
  EXPECT_EQ(rest.back(), "999");
  EXPECT_EQ(std::stoi(rest.front()) + static_cast<int>(rest.size()), 1'000);
}

TEST_F(JournalTest, StoredSegmentsAreDeleted) {
  const auto journal = Open();
  const std::string record(1'000, 'x');
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 40; ++i) ASSERT_TRUE(journal->Append(record).ok());
    EXPECT_GE(Segments().size(), 8U);
    TakeAll(*journal);
    EXPECT_EQ(Segments().size(), 1U);
  }
}

TEST_F(JournalTest, AFullJournalRefusesUntilThereIsRoom) {
  settings_.bytes_max = 10'000;
  const auto journal = Open();
  const std::string record(1'000, 'x');
  for (int i = 0; i < 9; ++i) ASSERT_TRUE(journal->Append(record).ok());
  EXPECT_EQ(ErrorReason(journal->Append(record)), "JOURNAL_FULL");
  EXPECT_EQ(Peek(*journal).size(), 5U) << "of the first segment";
  std::thread reader([&] { TakeAll(*journal); });
  while (!journal->Append(record).ok()) journal->AwaitRoom(absl::Seconds(10));
  reader.join();
  TakeAll(*journal);
  EXPECT_TRUE(journal->Append(record).ok());
}

TEST_F(JournalTest, ARecordThatIsTooLargeIsRefused) {
  const auto journal = Open();
  EXPECT_TRUE(journal->Append(std::string(Journal::kRecordBytesMax, 'x')).ok());
  EXPECT_FALSE(journal->Append(std::string(Journal::kRecordBytesMax + 1, 'x')).ok());
  EXPECT_EQ(TakeAll(*journal).size(), 1U);
}

// Whatever is missing of the last record, or stands behind it: the records before it are there, and it goes
// on.
TEST_F(JournalTest, ATornTailIsCutOff) {
  std::string last;
  AppendFrame("the last one", last);
  for (std::size_t left = 0; left < last.size() + 2; ++left) {
    fs::remove_all(settings_.directory);
    {
      const auto journal = Open();
      ASSERT_TRUE(journal->Append("first").ok());
      const bool has_last = left >= last.size() || journal->Append("the last one").ok();
      ASSERT_TRUE(has_last);
    }
    const fs::path segment = Segments().back();
    if (left < last.size()) fs::resize_file(segment, fs::file_size(segment) - last.size() + left);
    if (left == last.size()) std::ofstream(segment, std::ios::app) << std::string(10'000, '\0');
    if (left > last.size()) std::ofstream(segment, std::ios::app) << std::string(10'000, '\x7f');
    const auto journal = Open();
    ASSERT_TRUE(journal->Append("next").ok());
    EXPECT_EQ(TakeAll(*journal), (std::vector<std::string>{"first", "next"})) << left;
  }
}

TEST_F(JournalTest, ADamagedSegmentIsGivenUpAndTheNextOnesAreRead) {
  const std::string record(1'000, 'x');
  auto journal = Open();
  for (int i = 0; i < 15; ++i) ASSERT_TRUE(journal->Append(record + std::to_string(i)).ok());
  ASSERT_EQ(Segments().size(), 3U);
  std::fstream(Segments()[1], std::ios::in | std::ios::out).seekp(2'100).write("!", 1);
  const std::vector<std::string> read = TakeAll(*journal);
  // Of the five of the second segment, the two before the damage.
  ASSERT_EQ(read.size(), 12U);
  EXPECT_EQ(read[6], record + "6");
  EXPECT_EQ(read[7], record + "10");
}

TEST_F(JournalTest, WithoutAStoredPositionAllComesAgain) {
  for (const char* noted : {"", "short", "twelve bytes"}) {
    {
      const auto journal = Open();
      ASSERT_TRUE(journal->Append("one").ok());
      TakeAll(*journal);
    }
    std::ofstream(settings_.directory + "/stored", std::ios::trunc) << noted;
    EXPECT_FALSE(TakeAll(*Open()).empty()) << noted;
  }
}

TEST_F(JournalTest, OneProcessHasIt) {
  const auto journal = Open();
  EXPECT_EQ(ErrorReason(Journal::Open(settings_).status()), "JOURNAL_IN_USE");
}

// A child writes numbers and says which one is safe, until it is killed, wherever it is. Over many such lives
// of one journal, of which a part is taken after each: everything that was said is there, once, in order.
TEST_F(JournalTest, KilledAtRandomItLosesNothing) {
  constexpr int kLives = 40;
  // However late the kills arrive, it is never full.
  settings_.bytes_max = 1 << 30;
  std::mt19937 random(6);
  std::vector<int> said_safe(kLives, 0);
  std::vector<std::string> taken;
  for (int life = 0; life < kLives; ++life) {
    const Child child = StartWriter(life);
    int number = 0;
    // So many, and then what comes until the kill arrives.
    for (unsigned wanted = random() % 500; wanted > 0; --wanted)
      ASSERT_EQ(read(child.said, &number, sizeof number), static_cast<ssize_t>(sizeof number));
    kill(child.pid, SIGKILL);
    waitpid(child.pid, nullptr, 0);
    while (read(child.said, &number, sizeof number) == static_cast<ssize_t>(sizeof number)) {
    }
    close(child.said);
    said_safe[static_cast<std::size_t>(life)] = number;

    const auto journal = Open();
    for (unsigned batches = random() % 3; batches > 0; --batches) {
      const auto batch = journal->Read(1, absl::ZeroDuration());
      taken.insert(taken.end(), batch->records.begin(), batch->records.end());
      ASSERT_TRUE(journal->Store(batch->end).ok());
    }
  }
  const std::vector<std::string> rest = TakeAll(*Open());
  taken.insert(taken.end(), rest.begin(), rest.end());

  std::vector<int> found(kLives, 0);
  int life = 0, number = 0, before = 0;
  for (const std::string& record : taken) {
    ASSERT_EQ(std::sscanf(record.c_str(), "%d %d", &life, &number), 2);
    EXPECT_GE(life, before);
    before = life;
    ASSERT_EQ(number, ++found[static_cast<std::size_t>(life)]) << "of life " << life;
  }
  for (std::size_t i = 0; i < kLives; ++i) {
    // One may be written and not said.
    EXPECT_GE(found[i], said_safe[i]);
    EXPECT_LE(found[i], said_safe[i] + 1);
  }
  EXPECT_GT(taken.size(), 1'000U);
}

}  // namespace
}  // namespace bv::mqtt_ingest
