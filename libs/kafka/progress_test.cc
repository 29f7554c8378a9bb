#include "libs/kafka/progress.h"

#include <gtest/gtest.h>

namespace bv::kafka {
namespace {

const PartitionId kFirst{"orders", 0};
const PartitionId kSecond{"orders", 1};

Progress Assigned() {
  Progress progress;
  progress.Assign({kFirst, kSecond});
  return progress;
}

TEST(Progress, KnowsNothingAtFirst) {
  EXPECT_TRUE(Progress().empty());
  EXPECT_FALSE(Progress().complete());
  const Progress progress = Assigned();
  EXPECT_FALSE(progress.empty());
  EXPECT_FALSE(progress.complete());
  EXPECT_TRUE(progress.Positions().empty());
  EXPECT_TRUE(progress.Uncommitted().empty());
}

TEST(Progress, CommitsWhereItBegan) {
  Progress progress = Assigned();
  progress.Begin(kFirst, 7);
  EXPECT_EQ(progress.Uncommitted(), (Offsets{{kFirst, 7}}));
  EXPECT_FALSE(progress.complete());
  progress.Begin(kSecond, 0);
  EXPECT_TRUE(progress.complete());
  progress.Begin(kFirst, 9);  // was read, is not handled
  EXPECT_EQ(progress.Uncommitted(), (Offsets{{kFirst, 7}, {kSecond, 0}}));
}

TEST(Progress, CommitsWhatWasHandledOnce) {
  Progress progress = Assigned();
  progress.Begin(kFirst, 7);
  progress.Handled(kFirst, 9);
  progress.Handled(kFirst, 8);
  const Offsets sent = progress.Uncommitted();
  EXPECT_EQ(sent, (Offsets{{kFirst, 9}}));
  progress.Handled(kFirst, 10);
  progress.Committed(sent);
  EXPECT_EQ(progress.Uncommitted(), (Offsets{{kFirst, 10}})) << "what came while the commit was on its way";
  progress.Committed(progress.Uncommitted());
  EXPECT_TRUE(progress.Uncommitted().empty());
}

TEST(Progress, WhatIsGivenAwayIsForgotten) {
  Progress progress = Assigned();
  progress.Handled(kFirst, 9);
  const Offsets sent = progress.Uncommitted();
  progress.Assign({kSecond});
  progress.Committed(sent);
  progress.Handled(kFirst, 12);
  progress.Begin(kFirst, 3);
  EXPECT_TRUE(progress.Uncommitted().empty());
  EXPECT_TRUE(progress.Positions().empty());
}

TEST(Progress, AnAnswerFromBeforeIsNoPosition) {
  Progress progress = Assigned();
  progress.Handled(kFirst, 9);
  const Offsets sent = progress.Uncommitted();
  progress.Assign({});
  progress.Assign({kFirst});
  progress.Committed(sent);
  EXPECT_TRUE(progress.Uncommitted().empty());
  progress.Begin(kFirst, 4);
  EXPECT_EQ(progress.Uncommitted(), (Offsets{{kFirst, 4}}));
}

}  // namespace
}  // namespace bv::kafka
