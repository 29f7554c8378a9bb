#include "libs/kafka/progress.h"

#include <gtest/gtest.h>

namespace bv::kafka {
namespace {

const PartitionId kFirst{"orders", 0};
const PartitionId kSecond{"orders", 1};

// So many seconds after the assignment.
absl::Time At(int seconds) {
  return absl::FromUnixSeconds(1'700'000'000 + seconds);
}

struct Assigned : Progress {
  Assigned() { Assign({kFirst, kSecond}, At(0)); }
};

TEST(Progress, KnowsNothingAtFirst) {
  EXPECT_TRUE(Progress().empty());
  EXPECT_FALSE(Progress().complete());
  const Assigned progress;
  EXPECT_FALSE(progress.empty());
  EXPECT_FALSE(progress.complete());
  EXPECT_TRUE(progress.Positions().empty());
  EXPECT_TRUE(progress.Uncommitted().empty());
}

TEST(Progress, CommitsWhereItBegan) {
  Assigned progress;
  progress.Begin(kFirst, 7);
  EXPECT_EQ(progress.Uncommitted(), (Offsets{{kFirst, 7}}));
  EXPECT_FALSE(progress.complete());
  progress.Begin(kSecond, 0);
  EXPECT_TRUE(progress.complete());
  progress.Begin(kFirst, 9);  // was read, is not handled
  EXPECT_EQ(progress.Uncommitted(), (Offsets{{kFirst, 7}, {kSecond, 0}}));
}

TEST(Progress, CommitsWhatWasHandledOnce) {
  Assigned progress;
  progress.Begin(kFirst, 7);
  progress.Handled(kFirst, 9, At(0));
  progress.Handled(kFirst, 8, At(0));
  const Offsets sent = progress.Uncommitted();
  EXPECT_EQ(sent, (Offsets{{kFirst, 9}}));
  progress.Handled(kFirst, 10, At(0));
  progress.Committed(sent);
  EXPECT_EQ(progress.Uncommitted(), (Offsets{{kFirst, 10}})) << "what came while the commit was on its way";
  progress.Committed(progress.Uncommitted());
  EXPECT_TRUE(progress.Uncommitted().empty());
}

TEST(Progress, WhatIsGivenAwayIsForgotten) {
  Assigned progress;
  progress.Handled(kFirst, 9, At(0));
  const Offsets sent = progress.Uncommitted();
  progress.Assign({kSecond}, At(0));
  progress.Committed(sent);
  progress.Handled(kFirst, 12, At(0));
  progress.Begin(kFirst, 3);
  EXPECT_TRUE(progress.Uncommitted().empty());
  EXPECT_TRUE(progress.Positions().empty());
}

TEST(Progress, AnAnswerFromBeforeIsNoPosition) {
  Assigned progress;
  progress.Handled(kFirst, 9, At(0));
  const Offsets sent = progress.Uncommitted();
  progress.Assign({}, At(0));
  progress.Assign({kFirst}, At(0));
  progress.Committed(sent);
  EXPECT_TRUE(progress.Uncommitted().empty());
  progress.Begin(kFirst, 4);
  EXPECT_EQ(progress.Uncommitted(), (Offsets{{kFirst, 4}}));
}

TEST(Progress, BeginsAtTheFirstMessage) {
  Assigned progress;
  progress.Taken(kFirst, 7, At(1));
  progress.Taken(kFirst, 8, At(2));
  EXPECT_EQ(progress.Uncommitted(), (Offsets{{kFirst, 7}}));
}

TEST(Progress, NothingWaitsWhereAllIsHandled) {
  Assigned progress;
  EXPECT_EQ(progress.oldest_waiting(), absl::InfiniteFuture());
  progress.Begin(kFirst, 7);
  progress.Seen(kFirst, 7, At(1));
  EXPECT_EQ(progress.oldest_waiting(), absl::InfiniteFuture());
  progress.Taken(kFirst, 7, At(2));
  progress.Handled(kFirst, 8, At(2));
  progress.Seen(kFirst, 8, At(3));
  EXPECT_EQ(progress.oldest_waiting(), absl::InfiniteFuture());
}

TEST(Progress, WhatIsBeingHandledWaits) {
  Assigned progress;
  progress.Taken(kFirst, 7, At(-90));
  progress.Taken(kFirst, 8, At(-80));
  progress.Taken(kSecond, 0, At(-85));
  progress.Seen(kFirst, 100, At(1));
  EXPECT_EQ(progress.oldest_waiting(), At(-90)) << "and not what is behind it";
  progress.Handled(kSecond, 1, At(-85));
  EXPECT_EQ(progress.oldest_waiting(), At(-90));
}

TEST(Progress, WhatWaitsBehindIsAsOldAsTheMessageBefore) {
  Assigned progress;
  progress.Taken(kFirst, 7, At(-90));
  progress.Handled(kFirst, 8, At(-90));
  progress.Seen(kFirst, 20, At(1));
  EXPECT_EQ(progress.oldest_waiting(), At(-90));
  progress.Taken(kSecond, 0, At(-10));
  EXPECT_EQ(progress.oldest_waiting(), At(-90)) << "also while younger ones are handled";
  progress.Assign({kSecond}, At(2));
  EXPECT_EQ(progress.oldest_waiting(), absl::InfiniteFuture()) << "it is another member's";
}

TEST(Progress, WhatComesBehindNothingIsAsOldAsTheNothing) {
  Assigned progress;
  progress.Taken(kFirst, 7, At(-90));
  progress.Handled(kFirst, 8, At(-90));
  progress.Seen(kFirst, 8, At(10));
  progress.Seen(kFirst, 9, At(20));
  EXPECT_EQ(progress.oldest_waiting(), At(10));
  progress.Seen(kFirst, 12, At(30));
  EXPECT_EQ(progress.oldest_waiting(), At(10));
}

TEST(Progress, WhatIsUnreadSinceTheAssignmentCountsFromThere) {
  Assigned progress;
  progress.Begin(kFirst, 7);
  progress.Seen(kFirst, 9, At(5));
  EXPECT_EQ(progress.oldest_waiting(), At(0));
}

}  // namespace
}  // namespace bv::kafka
