#include "services/notification/domain/topic_feed.h"

#include <gtest/gtest.h>

namespace bv::notification {
namespace {

// Both partitions handled up to these offsets.
Cursor Ends(std::int64_t first, std::int64_t second) {
  Cursor cursor;
  cursor.Advance({.partition = 0, .offset = first});
  cursor.Advance({.partition = 1, .offset = second});
  return cursor;
}

TEST(TopicFeed, FollowsTheHub) {
  TopicFeed feed(Ends(5, 5));
  const auto sending = feed.Take({.partition = 0, .offset = 6}, Ends(6, 5));
  EXPECT_TRUE(sending.is_new);
  EXPECT_FALSE(sending.seq.has_value());
  EXPECT_EQ(feed.At(Ends(6, 9)), Ends(6, 9).Text());
}

TEST(TopicFeed, ReplaysEventByEvent) {
  TopicFeed feed(Ends(5, 5));
  EXPECT_EQ(feed.Replay({.partition = 1, .offset = 7}), Ends(5, 7).Text());
  EXPECT_EQ(feed.Replay({.partition = 0, .offset = 6}), Ends(6, 7).Text());
  feed.EndReplay(Ends(8, 8));
  EXPECT_FALSE(feed.Take({.partition = 0, .offset = 8}, Ends(8, 8)).is_new);
  EXPECT_TRUE(feed.Take({.partition = 0, .offset = 9}, Ends(9, 8)).is_new);
}

TEST(TopicFeed, IsNotSentAgainWhatAnotherReplicaSent) {
  // The client comes from a replica that was two messages further.
  TopicFeed feed(Ends(7, 5));
  EXPECT_FALSE(feed.Take({.partition = 0, .offset = 6}, Ends(6, 5)).is_new);
  const auto sending = feed.Take({.partition = 1, .offset = 6}, Ends(6, 6));
  EXPECT_TRUE(sending.is_new);
  EXPECT_EQ(sending.seq, Ends(7, 6).Text()) << "never back";
  EXPECT_FALSE(feed.Take({.partition = 0, .offset = 7}, Ends(7, 6)).is_new);
  const auto level = feed.Take({.partition = 0, .offset = 8}, Ends(8, 6));
  EXPECT_TRUE(level.is_new);
  EXPECT_FALSE(level.seq.has_value());
}

}  // namespace
}  // namespace bv::notification
