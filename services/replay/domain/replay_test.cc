#include "services/replay/domain/replay.h"

#include <gtest/gtest.h>

namespace bv::replay {
namespace {

std::string FieldOf(const Request& request) {
  return GetErrorDetail(CheckRequest(request)).field;
}

TEST(Replay, AnEndGoesWithAPointInTimeOnly) {
  Request request{.projection = "orders_by_customer", .purpose = Purpose::kPointInTime};
  EXPECT_EQ(FieldOf(request), "until");
  request.until_time = absl::UnixEpoch();
  EXPECT_TRUE(CheckRequest(request).ok());
  for (const Purpose purpose : {Purpose::kRebuild, Purpose::kVerify}) {
    request.purpose = purpose;
    EXPECT_EQ(FieldOf(request), "until");
  }
  request.until_time.reset();
  EXPECT_TRUE(CheckRequest(request).ok());
}

TEST(Replay, OnlyARebuildAcceptsDifferences) {
  Request request{.purpose = Purpose::kRebuild, .accept_differences = true};
  EXPECT_TRUE(CheckRequest(request).ok());
  request.purpose = Purpose::kVerify;
  EXPECT_EQ(FieldOf(request), "acceptDifferences");
}

TEST(Replay, AnOffsetOfEachPartitionAtMost) {
  Request request{.purpose = Purpose::kPointInTime, .until_offsets = {{"t", 0, 0}, {"t", 1, 5}, {"u", 0, 7}}};
  EXPECT_TRUE(CheckRequest(request).ok());
  request.until_offsets.push_back({"t", 1, 6});
  EXPECT_EQ(FieldOf(request), "offsets.offsets[3]");
  request.until_offsets[3] = {"t", -1, 6};
  EXPECT_EQ(FieldOf(request), "offsets.offsets[3].partition");
  request.until_offsets[3] = {"t", 2, -6};
  EXPECT_EQ(FieldOf(request), "offsets.offsets[3].offset");
}

TEST(Replay, WordsAreReadAsTheyAreWritten) {
  for (const Purpose purpose : {Purpose::kRebuild, Purpose::kVerify, Purpose::kPointInTime})
    EXPECT_EQ(PurposeOf(Word(purpose)), purpose);
  for (const State state : {State::kBuilding, State::kComparing, State::kDone, State::kDifferent,
                            State::kFailed, State::kCanceled})
    EXPECT_EQ(StateOf(Word(state)), state);
  EXPECT_EQ(Word(State::kDifferent), "DIFFERENT");
  EXPECT_EQ(Word(Purpose::kPointInTime), "POINT_IN_TIME");
}

}  // namespace
}  // namespace bv::replay
