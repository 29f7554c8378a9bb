#include <gtest/gtest.h>

#include "libs/base/strings.h"
#include "libs/projections/redis_eviction.h"
#include "libs/testing/redis_server.h"
#include "libs/testing/testing.h"

namespace bv::projections {
namespace {

Projection Shown() {
  return {.name = "gql:shown", .shape = {.key = {{"product_id", Kind::kText}, {"sku", Kind::kText}}}};
}

class RedisEvictionTest : public ::testing::Test {
 protected:
  absl::Status Change(const std::vector<std::vector<Value>>& keys) {
    Batch batch;
    for (const std::vector<Value>& key : keys)
      batch.changes.push_back({{"topic", 0}, 0, {tenant_, key, Remove{1}}});
    return eviction_.Apply(Shown(), batch);
  }
  redis::Reply Ask(std::vector<std::string> words) {
    redis::Batch batch;
    batch.Add(std::move(words));
    const absl::StatusOr<redis::Replies> replies =
        client_->ExecuteBlocking(std::move(batch), absl::InfiniteFuture());
    EXPECT_TRUE(replies.ok()) << replies.status();
    return replies.ok() ? replies->front() : redis::Reply{};
  }
  // As the reader that fills the key does it.
  bool Fill(const std::string& key, const std::string& value) {
    return Ask({"SET", key, value, "NX", "PX", "30000"}).kind != redis::Reply::Kind::kNil;
  }

  testing::RedisServer server_;
  std::unique_ptr<redis::Client> client_ =
      *redis::Client::Create({.url = server_.url(), .retry_after = absl::Milliseconds(50)});
  RedisEviction eviction_{*client_};
  const TenantId tenant_ = TenantId::Trusted("acme");
};

TEST_F(RedisEvictionTest, AChangeOfOneOfItsRowsEmptiesTheKey) {
  ASSERT_TRUE(Fill("gql:shown:acme:prd_1", "old"));
  ASSERT_TRUE(Fill("gql:shown:acme:prd_2", "other"));
  ASSERT_TRUE(Fill("gql:shown:blue:prd_1", "another's"));
  ASSERT_TRUE(Change({{"prd_1", "SKU-1"}, {"prd_1", "SKU-2"}}).ok());
  EXPECT_EQ(Ask({"GET", "gql:shown:acme:prd_1"}).text, "");
  EXPECT_EQ(Ask({"GET", "gql:shown:acme:prd_2"}).text, "other");
  EXPECT_EQ(Ask({"GET", "gql:shown:blue:prd_1"}).text, "another's");
}

TEST_F(RedisEvictionTest, WhatWasAskedBeforeAChangeDoesNotComeInAfterIt) {
  ASSERT_TRUE(Change({{"prd_1", "SKU-1"}}).ok());
  EXPECT_FALSE(Fill("gql:shown:acme:prd_1", "old"));
  const std::int64_t left = Ask({"PTTL", "gql:shown:acme:prd_1"}).integer;
  EXPECT_GT(left, 0);
  EXPECT_LE(left, absl::ToInt64Milliseconds(RedisEviction::kEmptyFor));
}

TEST_F(RedisEvictionTest, ABatchWithoutChangesAsksNothing) {
  server_.Kill();
  EXPECT_TRUE(Change({}).ok());
}

TEST_F(RedisEvictionTest, ARedisThatIsAwayIsToldSoThatTheBatchComesAgain) {
  server_.Kill();
  EXPECT_TRUE(absl::IsUnavailable(Change({{"prd_1", "SKU-1"}})));
}

TEST_F(RedisEvictionTest, AFullRedisLosesTheKey) {
  ASSERT_TRUE(Fill("gql:shown:acme:prd_1", "old"));
  Ask({"CONFIG", "SET", "maxmemory", "1"});
  EXPECT_TRUE(Change({{"prd_1", "SKU-1"}}).ok());
  EXPECT_EQ(Ask({"GET", "gql:shown:acme:prd_1"}).kind, redis::Reply::Kind::kNil);
}

}  // namespace
}  // namespace bv::projections
