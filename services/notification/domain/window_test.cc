#include "services/notification/domain/window.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/notification/domain/events_fixture_test.h"

namespace bv::notification {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::int64_t kManyBytes = 1 << 20;

Window MinuteWindow() {
  return Window(absl::Minutes(1), kManyBytes, At(0));
}

std::vector<std::string> OfUser(const Window& window, std::string_view user, const Cursor& cursor) {
  const auto events = window.OfUser("acme", user, cursor);
  return events ? NamesOf(*events) : std::vector<std::string>{"unknown"};
}

TEST(Window, HasTheChangesBehindAVersion) {
  Window window = MinuteWindow();
  EXPECT_TRUE(window.Add(Make({.version = 1, .offset = 0})));
  EXPECT_TRUE(window.Add(Make({.version = 2, .offset = 1, .kind = kPaidKind})));
  EXPECT_TRUE(window.Add(Make({.version = 2, .offset = 2})));
  EXPECT_TRUE(window.Add(Make({.order = "ord_2", .version = 1, .offset = 3})));
  EXPECT_THAT(NamesOf(window.OfOrder("ord_1", 0).events), ElementsAre("1.2", "2.1", "2.2"));
  EXPECT_THAT(NamesOf(window.OfOrder("ord_1", 1).events), ElementsAre("2.1", "2.2"));
  EXPECT_THAT(NamesOf(window.OfOrder("ord_1", 2).events), IsEmpty());
  EXPECT_THAT(NamesOf(window.OfOrder("ord_3", 0).events), IsEmpty());
  EXPECT_TRUE(window.OfOrder("ord_1", 2).is_whole);
  EXPECT_FALSE(window.OfOrder("ord_3", 0).is_whole) << "nothing is known of it";
}

TEST(Window, DropsWhatARelayThatDiedWroteTwice) {
  Window window = MinuteWindow();
  window.Add(Make({.version = 1, .offset = 0}));
  window.Add(Make({.version = 2, .offset = 1, .kind = kPaidKind}));
  EXPECT_FALSE(window.Add(Make({.version = 1, .offset = 2})));
  EXPECT_FALSE(window.Add(Make({.version = 2, .offset = 3, .kind = kPaidKind})));
  EXPECT_TRUE(window.Add(Make({.version = 2, .offset = 4})));
  EXPECT_EQ(window.size(), 3u);
  EXPECT_EQ(window.end().Next(0), 5) << "they are handled all the same";
}

TEST(Window, ForgetsByTime) {
  Window window = MinuteWindow();
  window.Add(Make({.version = 1, .offset = 0, .written_at = 100}));
  window.Add(Make({.version = 2, .offset = 1, .written_at = 130}));
  window.Trim(At(160));
  EXPECT_EQ(window.size(), 2u);
  window.Trim(At(161));
  EXPECT_THAT(NamesOf(window.OfOrder("ord_1", 0).events), ElementsAre("2.2"));
  window.Trim(At(1000));
  EXPECT_EQ(window.size(), 0u);
  EXPECT_EQ(window.bytes(), 0);
}

TEST(Window, ForgetsByBytes) {
  Window window(absl::Minutes(1), 10'000, At(0));
  for (int i = 0; i < 100; ++i) {
    window.Add(Make({.version = i + 1, .offset = i, .text = std::string(1'000, 'x')}));
    window.Trim(At(100));
    EXPECT_LE(window.bytes(), 10'000);
  }
  EXPECT_GE(window.size(), 3u);
  EXPECT_EQ(OfUser(window, "ada", Cursor()), std::vector<std::string>{"unknown"});
}

TEST(Window, GivesNoPartOfAChange) {
  Window window = MinuteWindow();
  window.Add(Make({.version = 3, .offset = 0, .kind = kPaidKind, .written_at = 100}));
  window.Add(Make({.version = 3, .offset = 1, .written_at = 101}));
  window.Add(Make({.version = 4, .offset = 2, .written_at = 130}));
  EXPECT_THAT(NamesOf(window.OfOrder("ord_1", 2).events), ElementsAre("3.1", "3.2", "4.2"));
  window.Trim(At(161));
  EXPECT_THAT(NamesOf(window.OfOrder("ord_1", 2).events), ElementsAre("4.2")) << "the rest of 3 only";
  EXPECT_FALSE(window.OfOrder("ord_1", 2).is_whole);
  EXPECT_TRUE(window.OfOrder("ord_1", 3).is_whole);
  EXPECT_EQ(window.OfOrder("ord_1", 3).whole_since, At(110));
}

TEST(Window, DoesNotTrustTheFirstChangeAfterItsBeginning) {
  Window window = MinuteWindow();
  // The event before it may have been written just before the window begins.
  window.Add(Make({.version = 3, .offset = 7, .written_at = 5}));
  window.Add(Make({.version = 4, .offset = 8, .written_at = 6}));
  EXPECT_THAT(NamesOf(window.OfOrder("ord_1", 0).events), ElementsAre("4.2"));
  window.Add(Make({.order = "ord_2", .version = 3, .offset = 9, .written_at = 50}));
  EXPECT_THAT(NamesOf(window.OfOrder("ord_2", 0).events), ElementsAre("3.2"));
}

TEST(Window, HasAUsersEventsBehindACursor) {
  Window window = MinuteWindow();
  window.Begin(0, 10);
  window.Begin(1, 20);
  const Cursor begin = window.end();
  window.Add(Make({.order = "ord_1", .version = 1, .offset = 10}));
  window.Add(Make({.order = "ord_2", .version = 1, .offset = 20, .partition = 1, .user = "bob"}));
  const Cursor middle = window.end();
  window.Add(Make({.order = "ord_1", .version = 2, .offset = 11}));
  window.Add(Make({.order = "ord_3", .version = 1, .offset = 21, .partition = 1}));
  EXPECT_THAT(OfUser(window, "ada", begin), ElementsAre("1.2", "2.2", "1.2"));
  EXPECT_THAT(OfUser(window, "ada", middle), ElementsAre("2.2", "1.2"));
  EXPECT_THAT(OfUser(window, "ada", window.end()), IsEmpty());
  EXPECT_THAT(OfUser(window, "bob", begin), ElementsAre("1.2"));
  EXPECT_THAT(OfUser(window, "eve", begin), IsEmpty());
  EXPECT_THAT(OfUser(window, "ada", Cursor()), ElementsAre("unknown")) << "from before the window";
}

TEST(Window, AQuietPartitionDoesNotCutACursorOff) {
  Window window = MinuteWindow();
  window.Begin(0, 10);
  window.Begin(1, 20);
  const Cursor before = window.end();
  window.Add(Make({.version = 1, .offset = 20, .partition = 1}));
  EXPECT_THAT(OfUser(window, "ada", before), ElementsAre("1.2"));
  window.Pass({.partition = 0, .offset = 10});
  EXPECT_EQ(window.end().Next(0), 11);
}

}  // namespace
}  // namespace bv::notification
