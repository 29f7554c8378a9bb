#include <gtest/gtest.h>

#include <future>

#include "libs/base/error.h"
#include "libs/postgres/postgres.h"
#include "libs/telemetry/telemetry.h"
#include "libs/testing/testing.h"

namespace bv::postgres {
namespace {

constexpr Statement kOne{"test_one", "SELECT 1"};
constexpr Statement kTenants{"test_tenants", "SELECT current_setting('bv.tenants')"};
constexpr Statement kInTransaction{"test_in_transaction", "SELECT (now() <> statement_timestamp())::int"};

class PoolTest : public ::testing::Test {
 protected:
  static Pool MakePool(const testing::Database& database, int size, int queue_max = 1024) {
    return Pool(database.Connection(), {.size = size, .queue_max = queue_max});
  }
  template <class T>
  std::future<absl::StatusOr<T>> Start(Pool& pool, RequestContext context,
                                       std::function<absl::StatusOr<T>(Session&)> work) {
    return boost::asio::co_spawn(loop_.io(), ReadIn<T>(pool, std::move(context), std::move(work)),
                                 boost::asio::use_future);
  }
  template <class T>
  static async::Task<absl::StatusOr<T>> ReadIn(Pool& pool, RequestContext context,
                                               std::function<absl::StatusOr<T>(Session&)> work) {
    co_return co_await pool.Read<T>(context, std::move(work));
  }

  testing::Database database_{"inventory"};
  testing::Loop loop_;
};

// A job that keeps its connection until it is told to end.
struct Blocker {
  std::promise<void> begun, end;
  absl::StatusOr<int> operator()(Session&) {
    begun.set_value();
    end.get_future().wait();
    return 0;
  }
};

TEST_F(PoolTest, ReadsForTheTenantOfTheContext) {
  Pool pool = MakePool(database_, 2);
  const std::function<absl::StatusOr<std::string>(Session&)> tenants =
      [](Session& session) -> absl::StatusOr<std::string> {
    return session.Exec(kTenants)[0][0].as<std::string>();
  };
  for (const char* tenant : {"acme", "globex", "acme"}) {
    EXPECT_EQ(Start<std::string>(pool, testing::ContextOf(tenant), tenants).get().value(), tenant);
  }
}

TEST_F(PoolTest, PassesErrorsOn) {
  Pool pool = MakePool(database_, 1);
  const std::function<absl::StatusOr<int>(Session&)> refuse = [](Session&) -> absl::StatusOr<int> {
    return NotFound("GONE", "gone");
  };
  EXPECT_EQ(Start<int>(pool, testing::ContextOf("acme"), refuse).get().status(), NotFound("GONE", "gone"));
}

TEST_F(PoolTest, UsesItsConnectionsAtOnce) {
  Pool pool = MakePool(database_, 2);
  Blocker blocker;
  auto blocked = Start<int>(pool, testing::ContextOf("acme"), std::ref(blocker));
  blocker.begun.get_future().wait();
  const std::function<absl::StatusOr<int>(Session&)> one = [](Session& session) -> absl::StatusOr<int> {
    return session.Exec(kOne)[0][0].as<int>();
  };
  EXPECT_EQ(Start<int>(pool, testing::ContextOf("acme"), one).get().value(), 1);
  blocker.end.set_value();
  EXPECT_TRUE(blocked.get().ok());
}

TEST_F(PoolTest, RefusesWhenTooManyWait) {
  Pool pool = MakePool(database_, 1, 1);
  Blocker blocker;
  auto blocked = Start<int>(pool, testing::ContextOf("acme"), std::ref(blocker));
  blocker.begun.get_future().wait();
  const std::function<absl::StatusOr<int>(Session&)> two = [](Session&) -> absl::StatusOr<int> { return 2; };
  auto waits = Start<int>(pool, testing::ContextOf("acme"), two);
  const absl::Status refused = Start<int>(pool, testing::ContextOf("acme"), two).get().status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ErrorReason(refused), "OVERLOADED");
  blocker.end.set_value();
  EXPECT_EQ(waits.get().value(), 2);
}

// The value of a metric without labels.
double ValueOf(const std::string& name) {
  for (const prometheus::MetricFamily& family : telemetry::Registry().Collect()) {
    if (family.name == name) return family.metric.front().gauge.value + family.metric.front().counter.value;
  }
  return 0;
}

TEST_F(PoolTest, SaysHowBusyItIs) {
  const double refused_before = ValueOf("postgres_pool_refused_total");
  std::optional<Pool> pool;
  pool.emplace(database_.Connection(), PoolSettings{.size = 2, .queue_max = 1});
  EXPECT_EQ(ValueOf("postgres_pool_size"), 2);
  Blocker blockers[2];
  std::vector<std::future<absl::StatusOr<int>>> blocked;
  for (Blocker& blocker : blockers) {
    blocked.push_back(Start<int>(*pool, testing::ContextOf("acme"), std::ref(blocker)));
    blocker.begun.get_future().wait();
  }
  EXPECT_EQ(ValueOf("postgres_pool_busy"), 2);
  const std::function<absl::StatusOr<int>(Session&)> two = [](Session&) -> absl::StatusOr<int> { return 2; };
  auto waits = Start<int>(*pool, testing::ContextOf("acme"), two);
  EXPECT_FALSE(Start<int>(*pool, testing::ContextOf("acme"), two).get().ok());
  EXPECT_EQ(ValueOf("postgres_pool_waiting"), 1);
  EXPECT_EQ(ValueOf("postgres_pool_refused_total"), refused_before + 1);
  for (Blocker& blocker : blockers) blocker.end.set_value();
  EXPECT_TRUE(waits.get().ok());
  for (auto& one : blocked) EXPECT_TRUE(one.get().ok());
  pool.reset();
  for (const char* name : {"postgres_pool_size", "postgres_pool_busy", "postgres_pool_waiting"})
    EXPECT_EQ(ValueOf(name), 0) << name;
}

TEST_F(PoolTest, DoesNotStartWhatNobodyWaitsFor) {
  Pool pool = MakePool(database_, 1);
  Blocker blocker;
  auto blocked = Start<int>(pool, testing::ContextOf("acme"), std::ref(blocker));
  blocker.begun.get_future().wait();
  std::stop_source gone;
  RequestContext context = testing::ContextOf("acme");
  context.stop = gone.get_token();
  bool started = false;
  const std::function<absl::StatusOr<int>(Session&)> work = [&](Session&) -> absl::StatusOr<int> {
    started = true;
    return 1;
  };
  auto abandoned = Start<int>(pool, context, work);
  context = testing::ContextOf("acme");
  context.deadline = absl::Now();
  auto late = Start<int>(pool, context, work);
  gone.request_stop();
  blocker.end.set_value();
  EXPECT_EQ(abandoned.get().status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(late.get().status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_FALSE(started);
}

TEST_F(PoolTest, StopRunsWhatIsQueued) {
  Pool pool = MakePool(database_, 1);
  Blocker blocker;
  auto blocked = Start<int>(pool, testing::ContextOf("acme"), std::ref(blocker));
  blocker.begun.get_future().wait();
  const std::function<absl::StatusOr<int>(Session&)> two = [](Session&) -> absl::StatusOr<int> { return 2; };
  auto waits = Start<int>(pool, testing::ContextOf("acme"), two);
  // One thread runs the loop, so what was started before has been submitted when this has run.
  boost::asio::post(loop_.io(), [&] { blocker.end.set_value(); });
  EXPECT_TRUE(blocked.get().ok());
  pool.Stop();
  EXPECT_EQ(waits.get().value(), 2);
  EXPECT_EQ(Start<int>(pool, testing::ContextOf("acme"), two).get().status().code(),
            absl::StatusCode::kResourceExhausted);
}

TEST_F(PoolTest, TransactIsOneTransaction) {
  Pool pool = MakePool(database_, 1);
  const auto transact = [](Pool& p, RequestContext context) -> async::Task<absl::StatusOr<int>> {
    std::function<absl::StatusOr<int>(Session&)> work = [](Session& session) -> absl::StatusOr<int> {
      session.Exec(kOne);
      return session.Exec(kInTransaction)[0][0].as<int>();
    };
    co_return co_await p.Transact<int>(context, std::move(work));
  };
  EXPECT_EQ(loop_.Run(transact(pool, testing::ContextOf("acme"))).value(), 1);
}

TEST_F(PoolTest, HealsAfterTheServerDroppedIt) {
  Pool pool = MakePool(database_, 1);
  const std::function<absl::StatusOr<int>(Session&)> cut = [this](Session& session) -> absl::StatusOr<int> {
    database_.Disconnect(session);
    return session.Exec(kOne)[0][0].as<int>();
  };
  EXPECT_EQ(ErrorReason(Start<int>(pool, testing::ContextOf("acme"), cut).get().status()),
            "DATABASE_UNAVAILABLE");
  const std::function<absl::StatusOr<int>(Session&)> one = [](Session& session) -> absl::StatusOr<int> {
    return session.Exec(kOne)[0][0].as<int>();
  };
  EXPECT_EQ(Start<int>(pool, testing::ContextOf("acme"), one).get().value(), 1);
}

}  // namespace
}  // namespace bv::postgres
