#include "services/audit-trail/domain/entry.h"

#include <gtest/gtest.h>

#include <vector>

#include "libs/base/strings.h"

namespace bv::audit_trail {
namespace {

const TenantId kTenant = TenantId::Trusted("acme");

Entry Sample(int n) {
  return {.id = Concat("018bf9e5-5400-7fd4-b89a-60db4739b1a", n),
          .occurred_at = absl::FromUnixMicros(1'700'000'000'123'456),
          .actor = "eve",
          .role = "ADMIN",
          .action = "price.override_set",
          .object_type = "price",
          .object_id = "TENT-2",
          .outcome = "DONE",
          .reason = "",
          .before = R"({"price":25.00})",
          .after = R"({"price":19.99,"note":"für alle"})",
          .correlation_id = "corr-7",
          .recorded_at = absl::FromUnixMicros(1'700'000'001'000'000)};
}

std::vector<Entry> Chain(int count) {
  Head head{.number = 0, .hash = std::string(kNoHash)};
  std::vector<Entry> entries;
  for (int n = 1; n <= count; ++n) {
    entries.push_back(Sample(n));
    Append(kTenant, entries.back(), head);
  }
  return entries;
}

// "kind number", or "".
std::string FirstDefectOf(const std::vector<Entry>& entries) {
  Head last{.number = 0, .hash = std::string(kNoHash)};
  const auto defect = FirstDefect(kTenant, entries, last);
  return defect ? Concat(Word(defect->kind), " ", defect->number) : "";
}

// tools/tests/test_audit.py has the same entry and the same hash.
TEST(HashOfTest, IsOfTheBytesThatTheReadmeSays) {
  EXPECT_EQ(Chain(1).front().hash, "312f59854771ab280857f93026919fb492d7c9fee8bfc5296be31f9cf4605b48");
}

TEST(HashOfTest, EveryFieldCounts) {
  const Entry entry = Chain(1).front();
  std::vector<Entry> others(13, entry);
  std::size_t n = 0;
  for (std::string Entry::*field :
       {&Entry::id, &Entry::actor, &Entry::role, &Entry::action, &Entry::object_type, &Entry::object_id,
        &Entry::outcome, &Entry::reason, &Entry::before, &Entry::after, &Entry::correlation_id})
    others[n++].*field += "x";
  others[n++].occurred_at += absl::Microseconds(1);
  others[n++].recorded_at += absl::Microseconds(1);
  for (const Entry& other : others) EXPECT_NE(HashOf(kTenant, other), entry.hash);
  EXPECT_NE(HashOf(TenantId::Trusted("globex"), entry), entry.hash);
  Entry shifted = entry;
  shifted.actor = "ev";
  shifted.role = "eADMIN";
  EXPECT_NE(HashOf(kTenant, shifted), entry.hash) << "fields run into each other";
}

TEST(FirstDefectTest, AWholeChainHasNone) {
  EXPECT_EQ(FirstDefectOf(Chain(5)), "");
  EXPECT_EQ(FirstDefectOf({}), "");
}

TEST(FirstDefectTest, TellsWhatWasDone) {
  std::vector<Entry> changed = Chain(5);
  changed[2].after = "{}";
  EXPECT_EQ(FirstDefectOf(changed), "CHANGED 3");
  // With a new hash it is the next one that gives it away.
  changed[2].hash = HashOf(kTenant, changed[2]);
  EXPECT_EQ(FirstDefectOf(changed), "MOVED 4");

  std::vector<Entry> removed = Chain(5);
  removed.erase(removed.begin() + 2);
  EXPECT_EQ(FirstDefectOf(removed), "MISSING 3");
  removed[2].number = 3;
  EXPECT_EQ(FirstDefectOf(removed), "CHANGED 3");

  std::vector<Entry> swapped = Chain(5);
  std::swap(swapped[1], swapped[3]);
  std::swap(swapped[1].number, swapped[3].number);
  EXPECT_EQ(FirstDefectOf(swapped), "CHANGED 2");

  std::vector<Entry> first = Chain(5);
  first.erase(first.begin());
  EXPECT_EQ(FirstDefectOf(first), "MISSING 1");
}

TEST(FirstDefectTest, SaysHowFarItIsWell) {
  std::vector<Entry> entries = Chain(5);
  entries[3].actor = "mallory";
  Head last{.number = 0, .hash = std::string(kNoHash)};
  ASSERT_TRUE(FirstDefect(kTenant, entries, last));
  EXPECT_EQ(last.number, 3);
  EXPECT_EQ(last.hash, entries[2].hash);
}

}  // namespace
}  // namespace bv::audit_trail
