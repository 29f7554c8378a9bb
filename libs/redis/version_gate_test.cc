#include "libs/redis/version_gate.h"

#include <gtest/gtest.h>

#include <string>

namespace bv::redis {
namespace {

TEST(VersionGateTest, PassesWhatIsNotOlderThanWhatPassed) {
  VersionGate gate;
  EXPECT_TRUE(gate.Pass("a", 3));
  EXPECT_TRUE(gate.Pass("a", 3));
  EXPECT_FALSE(gate.Pass("a", 2));
  EXPECT_TRUE(gate.Pass("a", 4));
  EXPECT_FALSE(gate.Pass("a", 3));
  EXPECT_TRUE(gate.Pass("b", 1));
}

TEST(VersionGateTest, RemembersTheKeysThatPassedLast) {
  VersionGate gate(10);
  EXPECT_TRUE(gate.Pass("kept", 5));
  for (int i = 0; i < 9; ++i) EXPECT_TRUE(gate.Pass(std::to_string(i), 1));
  // One more than it holds: the first ten are the older half now.
  EXPECT_TRUE(gate.Pass("eleventh", 1));
  EXPECT_FALSE(gate.Pass("kept", 4));
  EXPECT_FALSE(gate.Pass("0", 0));
}

TEST(VersionGateTest, StaysBounded) {
  VersionGate gate(10);
  EXPECT_TRUE(gate.Pass("first", 5));
  for (int i = 0; i < 30; ++i) EXPECT_TRUE(gate.Pass(std::to_string(i), 1));
  EXPECT_TRUE(gate.Pass("first", 4)) << "forgotten, as it says";
}

}  // namespace
}  // namespace bv::redis
