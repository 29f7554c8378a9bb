// What becomes of a replay whom nothing disturbs.
#include "libs/base/error.h"
#include "libs/base/strings.h"
#include "services/replay/tests/replay_fixture.h"

namespace bv::replay {
namespace {

using Request = pb::StartReplayRequest;

TEST_F(ReplayTest, EqualRowsAreReadInsteadAndTheOldOnesStayUntilTheyAreDropped) {
  WriteOrders(100);
  Follow();
  StartDriver();
  const pb::Replay replay = Run(Of(kOrders, Request::PURPOSE_REBUILD));
  EXPECT_EQ(replay.state(), pb::Replay::STATE_DONE) << replay.failure();
  EXPECT_EQ(replay.live_version(), 1);
  EXPECT_EQ(replay.rows_version(), 2);
  EXPECT_EQ(replay.messages_applied(), 200);
  EXPECT_EQ(replay.messages_in_all(), 200);
  EXPECT_EQ(replay.parity().rows_live(), 100);
  EXPECT_EQ(replay.parity().rows_rebuilt(), 100);
  EXPECT_EQ(replay.parity().buckets_different(), 0);
  EXPECT_EQ(replay.parity().offsets_size(), kPartitions);
  EXPECT_EQ(RowsOf(kOrders, 1), RowsOf(kOrders, 2));
  const auto state = State(kOrders);
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_EQ(state->live_version(), 2);
  EXPECT_EQ(state->rows_versions_size(), 2);
  EXPECT_EQ(state->replays(0).replay_id(), replay.replay_id());
  // The live path goes on with the new rows.
  WriteOrders(1);
  Follow();
  EXPECT_EQ(Query("SELECT count(*) FROM analytics.orders_by_customer WHERE rows_version = 2"), "101");
  const absl::Status in_use = Drop(kOrders, 2).status();
  EXPECT_EQ(in_use.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ErrorReason(in_use), "ROWS_IN_USE");
  EXPECT_EQ(Drop(kOrders, 1)->rows_versions_size(), 1);
  EXPECT_EQ(Drop(kOrders, 1)->rows_versions_size(), 1) << "once or several times";
  EXPECT_EQ(RowsOf(kOrders, 1), "");
}

TEST_F(ReplayTest, SumsAreComparedToTheCent) {
  WriteOrders(50);
  Follow();
  StartDriver();
  pb::Replay replay = Run(Of(kRevenue, Request::PURPOSE_REBUILD));
  EXPECT_EQ(replay.state(), pb::Replay::STATE_DONE) << replay.failure();
  ASSERT_EQ(replay.parity().sums_size(), 4);
  EXPECT_EQ(replay.parity().sums(0).column(), "paid_amount");
  EXPECT_EQ(replay.parity().sums(0).live(), 50 * 51 / 2);
  EXPECT_EQ(replay.parity().sums(0).rebuilt(), 50 * 51 / 2);
  // The next one gets rows of its own, also when those of the first are dropped.
  ASSERT_TRUE(Drop(kRevenue, 1).ok());
  replay = Run(Of(kRevenue, Request::PURPOSE_VERIFY));
  EXPECT_EQ(replay.state(), pb::Replay::STATE_DONE) << replay.failure();
  EXPECT_EQ(replay.rows_version(), 3);
  EXPECT_EQ(State(kRevenue)->rows_versions_size(), 1);
}

TEST_F(ReplayTest, RowsThatWereDamagedAreNamedAndMended) {
  WriteOrders(30);
  Follow();
  const std::string right = RowsOf(kOrders, 1);
  Query("UPDATE analytics.orders_by_customer SET total_amount = 666 WHERE order_id = 'ord_7'");
  Query("DELETE FROM analytics.orders_by_customer WHERE order_id = 'ord_8'");
  Query(
      "INSERT INTO analytics.orders_by_customer (tenant_id, rows_version, user_id, order_id, placed_version, "
      "total_amount, currency, created_at, state_version) VALUES ('acme', 1, 'eve', 'ord_x', 1, 5, 'USD', "
      "now(), 0)");
  StartDriver();
  const pb::Replay verified = Run(Of(kOrders, Request::PURPOSE_VERIFY));
  EXPECT_EQ(verified.state(), pb::Replay::STATE_DIFFERENT) << verified.failure();
  const pb::Parity& parity = verified.parity();
  EXPECT_EQ(parity.buckets_different(), 3);
  ASSERT_EQ(parity.differences_size(), 3);
  std::map<std::string, pb::RowDifference> by_key;
  for (const pb::RowDifference& row : parity.differences()) by_key[row.key()] = row;
  const pb::RowDifference& changed = by_key["user_id=user-1 order_id=ord_7"];
  EXPECT_EQ(changed.tenant_id(), "bolt");
  EXPECT_EQ(changed.live(), "total_amount=666");
  EXPECT_EQ(changed.rebuilt(), "total_amount=7");
  EXPECT_EQ(by_key["user_id=user-2 order_id=ord_8"].live(), "missing");
  EXPECT_EQ(by_key["user_id=eve order_id=ord_x"].rebuilt(), "missing");
  EXPECT_EQ(RowsOf(kOrders, verified.rows_version()), "") << "a verification leaves nothing";
  EXPECT_EQ(State(kOrders)->rows_versions_size(), 1);

  const pb::Replay refused = Run(Of(kOrders, Request::PURPOSE_REBUILD));
  EXPECT_EQ(refused.state(), pb::Replay::STATE_DIFFERENT);
  EXPECT_EQ(State(kOrders)->live_version(), 1);
  EXPECT_EQ(RowsOf(kOrders, refused.rows_version()), right) << "to be looked at";

  pb::StartReplayRequest mend = Of(kOrders, Request::PURPOSE_REBUILD);
  mend.set_accept_differences(true);
  const pb::Replay mended = Run(mend);
  EXPECT_EQ(mended.state(), pb::Replay::STATE_DONE) << mended.failure();
  EXPECT_EQ(mended.parity().buckets_different(), 3) << "what was accepted is told";
  EXPECT_EQ(State(kOrders)->live_version(), mended.rows_version());
  EXPECT_EQ(RowsOf(kOrders, mended.rows_version()), right);
}

TEST_F(ReplayTest, RowsAsTheyWereStandBesideTheLiveOnes) {
  WriteOrders(20);
  Follow();
  const std::string then = RowsOf(kRevenue, 1);
  const std::vector<pb::PartitionOffset> ends = Ends();
  const absl::Time until = absl::Now();
  // By the clock of the records, whose milliseconds are whole.
  while (absl::Now() < until + absl::Milliseconds(2)) std::this_thread::yield();
  WriteOrders(20);
  Follow();
  StartDriver();
  pb::StartReplayRequest request = Of(kRevenue, Request::PURPOSE_POINT_IN_TIME);
  for (const pb::PartitionOffset& end : ends) *request.mutable_offsets()->add_offsets() = end;
  const pb::Replay by_offsets = Run(request);
  EXPECT_EQ(by_offsets.state(), pb::Replay::STATE_DONE) << by_offsets.failure();
  EXPECT_FALSE(by_offsets.has_parity());
  EXPECT_EQ(RowsOf(kRevenue, by_offsets.rows_version()), then);
  request.mutable_time()->set_seconds(absl::ToUnixSeconds(until));
  request.mutable_time()->set_nanos(
      static_cast<int>(absl::ToInt64Nanoseconds(until - absl::FromUnixSeconds(absl::ToUnixSeconds(until)))) /
          1'000'000 * 1'000'000 +
      1'000'000);
  const pb::Replay by_time = Run(request);
  EXPECT_EQ(by_time.state(), pb::Replay::STATE_DONE) << by_time.failure();
  EXPECT_EQ(RowsOf(kRevenue, by_time.rows_version()), then);
  EXPECT_EQ(State(kRevenue)->live_version(), 1);
  EXPECT_EQ(State(kRevenue)->rows_versions_size(), 3);
}

TEST_F(ReplayTest, PartitionsThatAreNotNamedAreReadToTheLiveRows) {
  WriteOrders(20);
  Follow();
  const std::vector<pb::PartitionOffset> ends = Ends();
  StartDriver();
  pb::StartReplayRequest request = Of(kRevenue, Request::PURPOSE_POINT_IN_TIME);
  pb::PartitionOffset& none = *request.mutable_offsets()->add_offsets();
  none = ends[0];
  none.set_offset(0);
  const pb::Replay replay = Run(request);
  EXPECT_EQ(replay.state(), pb::Replay::STATE_DONE) << replay.failure();
  EXPECT_EQ(replay.messages_applied(), 40 - ends[0].offset());
}

TEST_F(ReplayTest, AnEventThatIsRefusedIsNamedOrPassedOver) {
  WriteOrders(10);
  const std::vector<pb::PartitionOffset> before = Ends();
  WriteBadEvent();
  const std::vector<pb::PartitionOffset> after = Ends();
  WriteOrders(10);
  Follow();
  std::string place;
  for (int i = 0; i < kPartitions; ++i) {
    if (after[i].offset() != before[i].offset())
      place = Concat(topic_.name(), "/", i, " at offset ", before[i].offset());
  }
  StartDriver();
  pb::StartReplayRequest request = Of(kOrders, Request::PURPOSE_REBUILD);
  const pb::Replay failed = Run(request);
  EXPECT_EQ(failed.state(), pb::Replay::STATE_FAILED);
  EXPECT_NE(failed.failure().find("EVENT_REFUSED"), std::string::npos) << failed.failure();
  EXPECT_NE(failed.failure().find(place), std::string::npos)
      << failed.failure() << " does not name " << place;
  EXPECT_EQ(State(kOrders)->live_version(), 1);
  request.set_pass_over_refused(true);
  const pb::Replay passed = Run(request);
  EXPECT_EQ(passed.state(), pb::Replay::STATE_DONE) << passed.failure();
  EXPECT_EQ(passed.messages_refused(), 1);
  EXPECT_EQ(State(kOrders)->live_version(), passed.rows_version());
  // What is failed leaves nothing when it was to be thrown away anyway.
  const pb::Replay verification = Run(Of(kOrders, Request::PURPOSE_VERIFY));
  EXPECT_EQ(verification.state(), pb::Replay::STATE_FAILED);
  EXPECT_EQ(RowsOf(kOrders, verification.rows_version()), "");
}

TEST_F(ReplayTest, ALogWithoutItsBeginningIsRefused) {
  WriteOrders(20);
  Follow();
  topic_.DeleteBefore(1, 1);
  const absl::Status status = Start(Of(kOrders, Request::PURPOSE_REBUILD)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_EQ(ErrorReason(status), "LOG_INCOMPLETE");
}

TEST_F(ReplayTest, WhatCannotBeIsRefusedByItsField) {
  WriteOrders(1);
  Follow();
  const auto field = [this](const pb::StartReplayRequest& request) {
    const absl::Status status = Start(request).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status << request.DebugString();
    return GetErrorDetail(status).field;
  };
  const auto at = [this](const std::string& topic, int partition, std::int64_t offset) {
    pb::StartReplayRequest request = Of(kOrders, Request::PURPOSE_POINT_IN_TIME);
    pb::PartitionOffset& end = *request.mutable_offsets()->add_offsets();
    end.set_topic(topic.empty() ? topic_.name() : topic);
    end.set_partition(partition);
    end.set_offset(offset);
    return request;
  };
  EXPECT_EQ(ErrorReason(Start(Of("customers", Request::PURPOSE_REBUILD)).status()), "PROJECTION_UNKNOWN");
  EXPECT_EQ(field(Of("customers", Request::PURPOSE_REBUILD)), "projection");
  EXPECT_EQ(field(Of(kOrders, Request::PURPOSE_POINT_IN_TIME)), "until");
  EXPECT_EQ(field(at("", 0, 1'000)), "offsets.offsets[0].offset");
  EXPECT_EQ(field(at("", 0, -1)), "offsets.offsets[0].offset");
  EXPECT_EQ(field(at("", kPartitions, 0)), "offsets.offsets[0]");
  EXPECT_EQ(field(at("elsewhere", 0, 0)), "offsets.offsets[0]");
  pb::StartReplayRequest request = at("", 0, 0);
  *request.mutable_offsets()->add_offsets() = request.offsets().offsets(0);
  EXPECT_EQ(field(request), "offsets.offsets[1]");
  request = Of(kOrders, Request::PURPOSE_VERIFY);
  request.set_accept_differences(true);
  EXPECT_EQ(field(request), "acceptDifferences");
  request = Of(kOrders, Request::PURPOSE_POINT_IN_TIME);
  request.mutable_time()->set_seconds(absl::ToUnixSeconds(absl::Now()) + 60);
  EXPECT_EQ(field(request), "time");
  request.set_purpose(Request::PURPOSE_REBUILD);
  EXPECT_EQ(field(request), "until");
  EXPECT_EQ(ErrorReason(State("customers").status()), "PROJECTION_UNKNOWN");
  EXPECT_EQ(GetErrorDetail(Drop(kOrders, 0).status()).field, "rowsVersion");
  EXPECT_EQ(ErrorReason(Get("rpl_1").status()), "REPLAY_NOT_FOUND");
  EXPECT_EQ(ErrorReason(Get(ReplayId::New().str()).status()), "REPLAY_NOT_FOUND");
  EXPECT_EQ(ErrorReason(Cancel(ReplayId::New().str()).status()), "REPLAY_NOT_FOUND");
  EXPECT_EQ(Query("SELECT count(*) FROM replay.replay"), "0");
}

}  // namespace
}  // namespace bv::replay
