#include "services/notification/domain/order_feed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/notification/domain/events_fixture_test.h"

namespace bv::notification {
namespace {

using Phase = OrderFeed::Phase;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int kWholeSince = 50;

// In a window that has forgotten what was before them, or nothing.
OrderPast Rest(std::initializer_list<std::int64_t> versions) {
  OrderPast past{.whole_since = At(kWholeSince)};
  for (const std::int64_t version : versions) past.events.push_back(Make({.version = version}));
  return past;
}
OrderPast Whole(std::initializer_list<std::int64_t> versions) {
  OrderPast past = Rest(versions);
  past.is_whole = true;
  return past;
}

OrderFeed Fetching(std::optional<std::int64_t> after = std::nullopt) {
  OrderFeed feed(after);
  EXPECT_EQ(feed.phase(), Phase::kWanted);
  feed.BeginFetch();
  return feed;
}

TEST(OrderFeed, BeginsWithASnapshotAndWhatCameMeanwhile) {
  OrderFeed feed = Fetching();
  EXPECT_FALSE(feed.Take(*Make({.version = 6}))) << "the window keeps it";
  EXPECT_EQ(feed.ResumesAfter(5), 5);
  const auto resumption = feed.Resume(5, At(10), Whole({6, 7}));
  EXPECT_TRUE(resumption.snapshot);
  EXPECT_THAT(NamesOf(resumption.events), ElementsAre("6.2", "7.2"));
  EXPECT_EQ(feed.phase(), Phase::kLive);
  EXPECT_FALSE(feed.Take(*Make({.version = 5})));
  EXPECT_FALSE(feed.Take(*Make({.version = 7})));
  EXPECT_TRUE(feed.Take(*Make({.version = 8})));
  EXPECT_FALSE(feed.Take(*Make({.version = 8})));
}

TEST(OrderFeed, GoesOnWhereAClientWas) {
  OrderFeed feed = Fetching(5);
  EXPECT_EQ(feed.ResumesAfter(7), 5);
  const auto resumption = feed.Resume(7, At(10), Whole({6, 7}));
  EXPECT_FALSE(resumption.snapshot);
  EXPECT_THAT(NamesOf(resumption.events), ElementsAre("6.2", "7.2"));
  EXPECT_TRUE(feed.Take(*Make({.version = 8})));
}

TEST(OrderFeed, SendsNothingToAClientThatHasAll) {
  OrderFeed feed = Fetching(7);
  const auto resumption = feed.Resume(7, At(10), Rest({}));
  EXPECT_FALSE(resumption.snapshot);
  EXPECT_THAT(resumption.events, IsEmpty());
  EXPECT_TRUE(feed.Take(*Make({.version = 8})));
}

TEST(OrderFeed, WaitsForChangesThatAreOnTheirWay) {
  OrderFeed feed = Fetching(5);
  const auto resumption = feed.Resume(7, At(10), Whole({6}));
  EXPECT_FALSE(resumption.snapshot);
  EXPECT_THAT(NamesOf(resumption.events), ElementsAre("6.2"));
  EXPECT_TRUE(feed.Take(*Make({.version = 7})));

  OrderFeed none_yet = Fetching(5);
  EXPECT_FALSE(none_yet.Resume(7, At(10), Whole({})).snapshot);
  EXPECT_TRUE(none_yet.Take(*Make({.version = 6})));

  OrderFeed long_quiet = Fetching(5);
  EXPECT_FALSE(long_quiet.Resume(6, At(kWholeSince + 1), Rest({})).snapshot) << "it changed a moment ago";
  EXPECT_TRUE(long_quiet.Take(*Make({.version = 6})));
  OrderFeed forgotten = Fetching(5);
  EXPECT_TRUE(forgotten.Resume(6, At(kWholeSince), Rest({})).snapshot);
}

TEST(OrderFeed, SendsASnapshotWhereAChangeIsMissing) {
  for (const OrderPast& past : {Rest({}), Rest({7}), Rest({8}), Whole({6, 8})}) {
    OrderFeed feed = Fetching(5);
    const auto resumption = feed.Resume(8, At(10), past);
    EXPECT_TRUE(resumption.snapshot);
    EXPECT_THAT(resumption.events, IsEmpty());
    EXPECT_EQ(feed.phase(), Phase::kLive);
    EXPECT_TRUE(feed.Take(*Make({.version = 9})));
  }
}

TEST(OrderFeed, DoesNotBelieveAClientFromTheFuture) {
  OrderFeed feed = Fetching(9);
  EXPECT_EQ(feed.ResumesAfter(7), 7);
  EXPECT_TRUE(feed.Resume(7, At(10), Rest({})).snapshot);
}

TEST(OrderFeed, FetchesAnewAfterAGap) {
  OrderFeed feed = Fetching();
  feed.Resume(5, At(10), Rest({}));
  EXPECT_FALSE(feed.Take(*Make({.version = 7})));
  EXPECT_EQ(feed.phase(), Phase::kWanted);
  EXPECT_FALSE(feed.Take(*Make({.version = 8})));
  feed.BeginFetch();
  const auto resumption = feed.Resume(8, At(10), Whole({9}));
  EXPECT_TRUE(resumption.snapshot);
  EXPECT_THAT(NamesOf(resumption.events), ElementsAre("9.2"));
}

TEST(OrderFeed, FetchesAnewOnceItFellBehind) {
  OrderFeed feed = Fetching(3);
  feed.Resume(5, At(10), Whole({4, 5}));
  feed.FallBehind();
  EXPECT_FALSE(feed.Take(*Make({.version = 6})));
  EXPECT_EQ(feed.phase(), Phase::kBehind);
  feed.BeginFetch();
  EXPECT_EQ(feed.ResumesAfter(8), 8) << "what it had is gone";
  EXPECT_TRUE(feed.Resume(8, At(10), Rest({})).snapshot);
}

}  // namespace
}  // namespace bv::notification
