// Several replicas' limits over one Redis.
#include "services/gateway/limits/limits.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <future>
#include <thread>

#include "libs/base/clock.h"
#include "libs/base/strings.h"
#include "libs/telemetry/telemetry.h"
#include "libs/testing/redis_server.h"
#include "libs/testing/testing.h"

namespace bv::gateway {
namespace {

TenantId OwnTenant() {
  static int tenants = 0;
  return testing::ContextOf(Concat("limits-", getpid(), "-", ++tenants)).tenant;
}

class LimitsTest : public ::testing::Test {
 protected:
  // So slow that nothing to speak of comes back during a test. A block is 10.
  static constexpr LimitSettings kSettings{.tenant = {.rate = 0.1, .burst = 200},
                                           .token = {},
                                           .address = {.rate = 0.1, .burst = 200},
                                           .keys_max = 1000};
  static constexpr int kBlock = 10;

  void SetUp() override {
    thread_ = std::thread([this] { io_.run(); });
  }
  void TearDown() override {
    work_.reset();
    io_.stop();
    thread_.join();
  }

  struct Replica {
    Replica(const std::string& url, boost::asio::io_context& io)
        : redis(*redis::Client::Create({.url = url, .retry_after = absl::Milliseconds(50)})),
          limits(kSettings, io, redis.get()) {}
    ~Replica() { redis->Stop(); }
    bool Take(const TenantId& tenant) {
      LimitState state;
      return limits.TakeTenant(tenant, state);
    }
    std::unique_ptr<redis::Client> redis;
    Limits limits;
  };

  static double Told(const char* outcome) {
    return telemetry::Counter("gateway_limit_reports_total", "What was used, as it was told to Redis.",
                              {{"outcome", outcome}})
        .Value();
  }
  // Waits until what was reported has been heard.
  static void AwaitReports(const char* outcome, double before, double count) {
    const absl::Time give_up = MonotonicNow() + absl::Seconds(10);
    while (Told(outcome) < before + count && MonotonicNow() < give_up) std::this_thread::yield();
    ASSERT_GE(Told(outcome), before + count) << outcome;
  }

  boost::asio::io_context io_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_ =
      boost::asio::make_work_guard(io_);
  std::thread thread_;
};

TEST_F(LimitsTest, AreOfAllReplicasTogether) {
  const TenantId tenant = OwnTenant();
  std::vector<std::unique_ptr<Replica>> replicas;
  for (int i = 0; i < 3; ++i)
    replicas.push_back(std::make_unique<Replica>(testing::Environment("BV_REDIS_URL"), io_));
  int taken = 0;
  // In turn, block by block, each heard before the next.
  for (int round = 0; round < 60; ++round) {
    Replica& replica = *replicas[static_cast<std::size_t>(round) % replicas.size()];
    const double before = Told("told");
    int here = 0;
    while (here < kBlock && replica.Take(tenant)) ++here;
    taken += here;
    if (here == kBlock) AwaitReports("told", before, 1);
  }
  EXPECT_GE(taken, 200);
  EXPECT_LE(taken, 200 + 3 * kBlock) << "a block for each replica";
}

TEST_F(LimitsTest, HoldOnTheThreadThatTellsRedis) {
  Replica replica(testing::Environment("BV_REDIS_URL"), io_);
  const TenantId tenant = OwnTenant();
  std::promise<int> all;
  boost::asio::post(io_, [&] {
    int taken = 0;
    while (replica.Take(tenant)) ++taken;
    all.set_value(taken);
  });
  std::future<int> taken = all.get_future();
  ASSERT_EQ(taken.wait_for(std::chrono::seconds(10)), std::future_status::ready);
  EXPECT_EQ(taken.get(), 200);
}

TEST_F(LimitsTest, HoldWithoutRedis) {
  testing::RedisServer server;
  Replica replica(server.url(), io_);
  const TenantId tenant = OwnTenant();
  double before = Told("told");
  for (int i = 0; i < kBlock; ++i) ASSERT_TRUE(replica.Take(tenant));
  AwaitReports("told", before, 1);
  server.Kill();
  before = Told("lost");
  int taken = kBlock;
  const absl::Time start = MonotonicNow();
  while (replica.Take(tenant)) ++taken;
  EXPECT_LT(MonotonicNow() - start, absl::Milliseconds(100)) << "nobody waits for Redis";
  EXPECT_EQ(taken, 200);
  AwaitReports("lost", before, 1);
}

TEST_F(LimitsTest, NobodyWaitsForARedisThatHangs) {
  testing::RedisServer server;
  Replica replica(server.url(), io_);
  const TenantId tenant = OwnTenant();
  server.Halt();
  const absl::Time start = MonotonicNow();
  int taken = 0;
  while (replica.Take(tenant)) ++taken;
  EXPECT_LT(MonotonicNow() - start, absl::Milliseconds(100));
  EXPECT_EQ(taken, 200);
  server.GoOn();
}

TEST_F(LimitsTest, ForgetWhoHasUsedLeast) {
  LimitSettings settings = kSettings;
  settings.keys_max = 160;
  Limits limits(settings, io_, nullptr);
  LimitState state;
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(limits.TakeAddress("192.0.2.1", state));
  for (int i = 0; i < 5000; ++i)
    ASSERT_TRUE(limits.TakeAddress(Concat("10.0.", i / 256, ".", i % 256), state));
  EXPECT_FALSE(limits.TakeAddress("192.0.2.1", state)) << "a flood of addresses washed it away";
}

}  // namespace
}  // namespace bv::gateway
