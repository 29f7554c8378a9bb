// A replay is driven by one driver at a time, and by the next one when that is gone; it can be canceled at
// any moment.
#include <pqxx/pqxx>

#include "libs/base/error.h"
#include "libs/base/strings.h"
#include "libs/testing/kafka/broker_link.h"
#include "services/replay/store/replay_rows.h"
#include "services/replay/tests/replay_fixture.h"

namespace bv::replay {
namespace {

using Request = pb::StartReplayRequest;

class JobTest : public ReplayTest {
 protected:
  // While it lives nobody can write or delete rows of daily_revenue.
  struct Blocked {
    explicit Blocked(const testing::Database& database)
        : connection(database.superuser_url()), transaction(connection) {
      transaction.exec("LOCK TABLE analytics.daily_revenue IN EXCLUSIVE MODE");
    }
    pqxx::connection connection;
    pqxx::work transaction;
  };

  void WaitUntilBlocked() {
    WaitFor(
        "SELECT (count(*) > 0)::text FROM pg_stat_activity WHERE datname = current_database() AND "
        "wait_event_type "
        "= 'Lock'",
        "true");
  }
  std::optional<Replay> Claim(const std::string& driver, absl::Duration lease) {
    std::optional<Replay> claimed;
    const absl::Status status = session_.Transact({}, [&](postgres::Session& session) {
      claimed = ClaimReplay(session, driver, lease);
      return absl::OkStatus();
    });
    EXPECT_TRUE(status.ok()) << status;
    return claimed;
  }

  postgres::Session session_{database_.Connection(), postgres::Plans::kIndexOnly};
};

TEST_F(JobTest, OneAtATimeForAProjection) {
  const pb::Replay first = Started(Of(kRevenue, Request::PURPOSE_REBUILD));
  EXPECT_EQ(first.state(), pb::Replay::STATE_BUILDING);
  const absl::Status second = Start(Of(kRevenue, Request::PURPOSE_VERIFY)).status();
  EXPECT_EQ(second.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ErrorReason(second), "REPLAY_RUNNING");
  EXPECT_NE(std::string(second.message()).find(first.replay_id()), std::string::npos) << second;
  EXPECT_TRUE(Start(Of(kOrders, Request::PURPOSE_VERIFY)).ok()) << "another projection";
  EXPECT_EQ(ErrorReason(Drop(kRevenue, first.rows_version()).status()), "ROWS_IN_USE");
}

TEST_F(JobTest, ARepeatUnderTheSameKeyIsTheSameReplay) {
  const auto first = Start(Of(kRevenue, Request::PURPOSE_VERIFY), "key-1");
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(Start(Of(kRevenue, Request::PURPOSE_VERIFY), "key-1")->replay_id(), first->replay_id());
  EXPECT_EQ(ErrorReason(Start(Of(kOrders, Request::PURPOSE_VERIFY), "key-1").status()),
            "IDEMPOTENCY_KEY_REUSED");
  StartDriver();
  Ended(first->replay_id());
  EXPECT_EQ(Start(Of(kRevenue, Request::PURPOSE_VERIFY), "key-1")->replay_id(), first->replay_id());
  EXPECT_NE(Start(Of(kRevenue, Request::PURPOSE_VERIFY), "key-2")->replay_id(), first->replay_id());
}

TEST_F(JobTest, ADriverThatIsNotHeardOfLosesItToTheNext) {
  WriteOrders(10);
  Follow();
  const pb::Replay replay = Started(Of(kRevenue, Request::PURPOSE_REBUILD));
  const absl::Time claimed_at = absl::Now();
  ASSERT_TRUE(Claim("dead", absl::Seconds(1)));
  EXPECT_FALSE(Claim("other", absl::Seconds(1))) << "it is not free";
  StartDriver();
  EXPECT_EQ(Ended(replay.replay_id()).state(), pb::Replay::STATE_DONE);
  EXPECT_GE(absl::Now() - claimed_at, absl::Seconds(1));
}

TEST_F(JobTest, ADriverThatLostItLeavesItAlone) {
  WriteOrders(10);
  Follow();
  std::optional<Blocked> blocked(database_);
  StartDriver();
  const pb::Replay replay = Started(Of(kRevenue, Request::PURPOSE_REBUILD));
  WaitUntilBlocked();
  Query("UPDATE replay.replay SET driver = 'thief', lease_until = now() + interval '1 hour'");
  blocked.reset();
  // Its thread is free for the next one, which waits for it.
  settings_.parallel_max = 1;
  const pb::Replay other = Run(Of(kOrders, Request::PURPOSE_VERIFY));
  EXPECT_EQ(other.state(), pb::Replay::STATE_DONE) << other.failure();
  EXPECT_EQ(Get(replay.replay_id())->state(), pb::Replay::STATE_BUILDING);
  EXPECT_EQ(State(kRevenue)->live_version(), 1);
  Query("UPDATE replay.replay SET lease_until = now() WHERE driver = 'thief'");
  EXPECT_EQ(Ended(replay.replay_id()).state(), pb::Replay::STATE_DONE);
}

TEST_F(JobTest, AStoppedDriverLetsTheNextGoOnAtOnce) {
  WriteOrders(10);
  Follow();
  settings_.lease = absl::Hours(1);
  std::optional<Blocked> blocked(database_);
  StartDriver();
  const pb::Replay replay = Started(Of(kRevenue, Request::PURPOSE_REBUILD));
  WaitUntilBlocked();
  std::thread stopping([this] { StopDriver(); });
  blocked.reset();
  stopping.join();
  StartDriver();
  EXPECT_EQ(Ended(replay.replay_id()).state(), pb::Replay::STATE_DONE);
}

TEST_F(JobTest, CanceledWhileItBuilds) {
  WriteOrders(50);
  Follow();
  std::optional<Blocked> blocked(database_);
  StartDriver();
  const pb::Replay replay = Started(Of(kRevenue, Request::PURPOSE_REBUILD));
  WaitUntilBlocked();
  const auto canceled = Cancel(replay.replay_id());
  ASSERT_TRUE(canceled.ok()) << canceled.status();
  blocked.reset();
  EXPECT_EQ(Ended(replay.replay_id()).state(), pb::Replay::STATE_CANCELED);
  EXPECT_EQ(RowsOf(kRevenue, replay.rows_version()), "");
  EXPECT_EQ(State(kRevenue)->rows_versions_size(), 1);
  EXPECT_EQ(Cancel(replay.replay_id())->state(), pb::Replay::STATE_CANCELED) << "once or several times";
}

TEST_F(JobTest, CanceledBeforeAndAfterSomebodyDrivesIt) {
  WriteOrders(10);
  Follow();
  const pb::Replay waiting = Started(Of(kRevenue, Request::PURPOSE_REBUILD));
  ASSERT_TRUE(Cancel(waiting.replay_id()).ok());
  StartDriver();
  EXPECT_EQ(Ended(waiting.replay_id()).state(), pb::Replay::STATE_CANCELED);
  const pb::Replay done = Run(Of(kRevenue, Request::PURPOSE_REBUILD));
  EXPECT_EQ(Cancel(done.replay_id())->state(), pb::Replay::STATE_DONE);
  EXPECT_EQ(State(kRevenue)->live_version(), done.rows_version());
}

// The driver before came as far as this, was killed, and somebody canceled it.
TEST_F(JobTest, CanceledWithRowsThatACrashLeft) {
  WriteOrders(10);
  Follow();
  StartDriver();
  const pb::Replay refused = Run([] {
    pb::StartReplayRequest request = Of(kRevenue, Request::PURPOSE_POINT_IN_TIME);
    request.mutable_time()->set_seconds(absl::ToUnixSeconds(absl::Now()));
    return request;
  }());
  EXPECT_EQ(refused.state(), pb::Replay::STATE_DONE) << refused.failure();
  StopDriver();
  Query(
      "UPDATE replay.replay SET state = 'COMPARING', ended_at = NULL, cancel_requested = true, purpose = "
      "'REBUILD', "
      "until = NULL, lease_until = now()");
  StartDriver();
  EXPECT_EQ(Ended(refused.replay_id()).state(), pb::Replay::STATE_CANCELED);
  EXPECT_EQ(RowsOf(kRevenue, refused.rows_version()), "");
}

// The rows are read already, so they are not dropped, whatever was asked for in between.
TEST_F(JobTest, CanceledTooLate) {
  WriteOrders(10);
  Follow();
  StartDriver();
  const pb::Replay done = Run(Of(kRevenue, Request::PURPOSE_REBUILD));
  StopDriver();
  const std::string rows = RowsOf(kRevenue, done.rows_version());
  for (const char* canceled : {"true", "false"}) {
    Query(
        Concat("UPDATE replay.replay SET state = 'COMPARING', ended_at = NULL, lease_until = now(), "
               "cancel_requested = ",
               canceled));
    StartDriver();
    EXPECT_EQ(Ended(done.replay_id()).state(), pb::Replay::STATE_DONE);
    StopDriver();
    EXPECT_EQ(RowsOf(kRevenue, done.rows_version()), rows);
    EXPECT_NE(rows, "");
  }
}

TEST_F(JobTest, AProjectionThatIsNotKnownHereFails) {
  const pb::Replay replay = Started(Of(kRevenue, Request::PURPOSE_REBUILD));
  Query("UPDATE replay.replay SET projection = 'of_tomorrow'");
  StartDriver();
  const pb::Replay failed = Ended(replay.replay_id());
  EXPECT_EQ(failed.state(), pb::Replay::STATE_FAILED);
  EXPECT_NE(failed.failure().find("of_tomorrow"), std::string::npos);
}

TEST_F(JobTest, PostgresThatGoesAwayIsWaitedFor) {
  WriteOrders(10);
  Follow();
  std::optional<Blocked> blocked(database_);
  StartDriver();
  const pb::Replay replay = Started(Of(kRevenue, Request::PURPOSE_REBUILD));
  WaitUntilBlocked();
  Query(
      "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND "
      "usename "
      "LIKE '%analytics'");
  WaitUntilBlocked();
  blocked.reset();
  EXPECT_EQ(Ended(replay.replay_id()).state(), pb::Replay::STATE_DONE);
}

TEST_F(JobTest, KafkaThatIsAwayIsWaitedFor) {
  WriteOrders(10);
  Follow();
  const pb::Replay replay = Started(Of(kRevenue, Request::PURPOSE_REBUILD));
  std::optional<testing::BrokerOutage> outage(std::in_place);
  timeout_ = absl::Seconds(2);
  EXPECT_EQ(Start(Of(kOrders, Request::PURPOSE_REBUILD)).status().code(), absl::StatusCode::kUnavailable);
  StartDriver();
  WaitFor("SELECT (driver <> '' AND lease_until > now())::text FROM replay.replay", "true");
  outage.reset();
  EXPECT_EQ(Ended(replay.replay_id()).state(), pb::Replay::STATE_DONE);
}

TEST_F(JobTest, TheLatestAreKept) {
  for (int i = 0; i < 3; ++i) {
    const pb::Replay replay = Started(Of(kRevenue, Request::PURPOSE_VERIFY));
    Query(
        "UPDATE replay.replay SET state = 'DONE', ended_at = now(), rows_version = rows_version + 60 WHERE "
        "ended_at "
        "IS NULL");
    EXPECT_EQ(replay.rows_version(), i * 61 + 2);
  }
  Started(Of(kRevenue, Request::PURPOSE_VERIFY));
  EXPECT_EQ(State(kRevenue)->replays_size(), 3);
}

}  // namespace
}  // namespace bv::replay
