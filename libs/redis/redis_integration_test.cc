#include <gtest/gtest.h>

#include <boost/asio/use_future.hpp>
#include <future>

#include "libs/base/clock.h"
#include "libs/base/error.h"
#include "libs/base/id.h"
#include "libs/base/strings.h"
#include "libs/redis/redis.h"
#include "libs/testing/redis_server.h"
#include "libs/testing/testing.h"

namespace bv::redis {
namespace {

std::unique_ptr<Client> ClientOf(Settings settings) {
  absl::StatusOr<std::unique_ptr<Client>> client = Client::Create(settings);
  EXPECT_TRUE(client.ok()) << client.status();
  return *std::move(client);
}

absl::StatusOr<Replies> Answers(Client& client, Batch batch) {
  return client.ExecuteBlocking(std::move(batch), absl::InfiniteFuture());
}

std::string Text(Client& client, const std::string& key) {
  absl::StatusOr<Replies> replies = Answers(client, Batch().Add({"GET", key}));
  EXPECT_TRUE(replies.ok()) << replies.status();
  return replies.ok() ? replies->front().text : "";
}

// Until Redis answers again; at most ten seconds.
absl::StatusOr<Replies> AnswersWhenBack(Client& client, const Batch& batch) {
  const absl::Time end = MonotonicNow() + absl::Seconds(10);
  absl::StatusOr<Replies> replies = Answers(client, batch);
  while (!replies.ok() && MonotonicNow() < end) {
    std::this_thread::yield();
    replies = Answers(client, batch);
  }
  return replies;
}

class RedisTest : public ::testing::Test {
 protected:
  std::string Key(std::string_view name) const { return Concat("test:", prefix_, ":", name); }

  const std::string prefix_ = UuidToString(NewUuid());
  std::unique_ptr<Client> client_ = ClientOf({.url = testing::Environment("BV_REDIS_URL")});
};

TEST_F(RedisTest, AnswersACommandEachInTheirOrder) {
  const absl::StatusOr<Replies> replies = Answers(*client_, Batch()
                                                                .Add({"SET", Key("a"), "one", "PX", "60000"})
                                                                .Add({"GET", Key("a")})
                                                                .Add({"GET", Key("none")})
                                                                .Add({"INCRBY", Key("n"), "7"})
                                                                .Add({"MGET", Key("a"), Key("none")})
                                                                .Add({"DEL", Key("a"), Key("n")}));
  ASSERT_TRUE(replies.ok()) << replies.status();
  ASSERT_EQ(replies->size(), 6u);
  EXPECT_EQ((*replies)[1].text, "one");
  EXPECT_EQ((*replies)[2].kind, Reply::Kind::kNil);
  EXPECT_EQ((*replies)[3].integer, 7);
  ASSERT_EQ((*replies)[4].list.size(), 2u);
  EXPECT_EQ((*replies)[4].list[0].text, "one");
  EXPECT_EQ((*replies)[5].integer, 2);
}

TEST_F(RedisTest, KeepsBytesAsTheyAre) {
  const std::string bytes("a\0b\r\n\xff", 6);
  ASSERT_TRUE(Answers(*client_, Batch().Add({"SET", Key("bytes"), bytes, "PX", "60000"})).ok());
  EXPECT_EQ(Text(*client_, Key("bytes")), bytes);
}

TEST_F(RedisTest, RunsScriptsByTheirHashAndByTheirTextWhenTheyAreForgotten) {
  testing::RedisServer server;
  const std::unique_ptr<Client> client = ClientOf({.url = server.url(), .connections = 1});
  static const Script kAdd("return redis.call('INCRBY', KEYS[1], ARGV[1])");
  for (int expected : {2, 4}) {
    const absl::StatusOr<Replies> replies = Answers(*client, Batch().Run(kAdd, "n", {"2"}));
    ASSERT_TRUE(replies.ok()) << replies.status();
    EXPECT_EQ(replies->front().integer, expected);
  }
  ASSERT_TRUE(Answers(*client, Batch().Add({"SCRIPT", "FLUSH"})).ok());
  const absl::StatusOr<Replies> replies =
      Answers(*client, Batch().Run(kAdd, "n", {"2"}).Run(kAdd, "m", {"1"}));
  ASSERT_TRUE(replies.ok()) << replies.status();
  EXPECT_EQ((*replies)[0].integer, 6);
  EXPECT_EQ((*replies)[1].integer, 1);
}

TEST_F(RedisTest, ARefusedCommandIsAnErrorOfItsOwnBatchOnly) {
  ASSERT_TRUE(Answers(*client_, Batch().Add({"SET", Key("text"), "x", "PX", "60000"})).ok());
  const absl::StatusOr<Replies> refused =
      Answers(*client_, Batch().Add({"INCR", Key("text")}).Add({"SET", Key("later"), "y", "PX", "60000"}));
  EXPECT_TRUE(absl::IsInternal(refused.status())) << refused.status();
  EXPECT_EQ(Text(*client_, Key("later")), "y");
  EXPECT_FALSE(client_->is_away());
}

async::Task<absl::StatusOr<Replies>> Get(Client& client, std::string key) {
  const RequestContext context = testing::ContextOf("acme");
  Batch batch;
  batch.Add({"GET", std::move(key)});
  co_return co_await client.Execute(std::move(batch), context);
}

TEST_F(RedisTest, AnswersCoroutinesEachWithItsOwn) {
  Batch batch;
  for (int i = 0; i < 300; ++i) batch.Add({"SET", Key(std::to_string(i)), std::to_string(i), "PX", "60000"});
  ASSERT_TRUE(Answers(*client_, std::move(batch)).ok());
  testing::Loop loop;
  std::vector<std::future<absl::StatusOr<Replies>>> answers;
  for (int i = 0; i < 300; ++i) {
    answers.push_back(
        boost::asio::co_spawn(loop.io(), Get(*client_, Key(std::to_string(i))), boost::asio::use_future));
  }
  for (int i = 0; i < 300; ++i) {
    const absl::StatusOr<Replies> replies = answers[static_cast<std::size_t>(i)].get();
    ASSERT_TRUE(replies.ok()) << replies.status();
    EXPECT_EQ(replies->front().text, std::to_string(i));
  }
}

TEST_F(RedisTest, WhatComesTooLateIsNotRun) {
  const absl::StatusOr<Replies> late =
      client_->ExecuteBlocking(Batch().Add({"SET", Key("late"), "x"}), absl::Now() - absl::Seconds(1));
  EXPECT_TRUE(absl::IsDeadlineExceeded(late.status())) << late.status();
  EXPECT_EQ(Text(*client_, Key("late")), "");
}

TEST_F(RedisTest, ADeadRedisIsNotAskedAndABackOneIs) {
  testing::RedisServer server;
  const std::unique_ptr<Client> client =
      ClientOf({.url = server.url(), .retry_after = absl::Milliseconds(100)});
  ASSERT_TRUE(Answers(*client, Batch().Add({"SET", "a", "1"})).ok());
  server.Kill();
  const absl::StatusOr<Replies> away = Answers(*client, Batch().Add({"GET", "a"}));
  EXPECT_EQ(ErrorReason(away.status()), "REDIS_UNAVAILABLE") << away.status();
  EXPECT_TRUE(client->is_away());
  server.Start();
  const absl::StatusOr<Replies> back = AnswersWhenBack(*client, Batch().Add({"GET", "a"}));
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(back->front().kind, Reply::Kind::kNil) << "it was emptied";
}

TEST_F(RedisTest, RefusalsOfADeadRedisCostNothing) {
  testing::RedisServer server;
  server.Kill();
  const std::unique_ptr<Client> client = ClientOf({.url = server.url(), .retry_after = absl::Minutes(1)});
  EXPECT_FALSE(Answers(*client, Batch().Add({"GET", "a"})).ok());
  const absl::Time begin = MonotonicNow();
  for (int i = 0; i < 10'000; ++i) EXPECT_FALSE(Answers(*client, Batch().Add({"GET", "a"})).ok());
  // 100 µs each would be a connection tried for each.
  EXPECT_LT(MonotonicNow() - begin, absl::Seconds(1));
}

TEST_F(RedisTest, ALostIdleConnectionIsReplacedWithoutAnError) {
  testing::RedisServer server;
  const std::unique_ptr<Client> client = ClientOf({.url = server.url(), .connections = 1});
  ASSERT_TRUE(Answers(*client, Batch().Add({"SET", "a", "1"})).ok());
  server.Kill();
  server.Start();
  const absl::StatusOr<Replies> replies = Answers(*client, Batch().Add({"GET", "a"}));
  EXPECT_TRUE(replies.ok()) << replies.status();
}

TEST_F(RedisTest, AHaltedRedisCostsOneTimeOut) {
  testing::RedisServer server;
  const std::unique_ptr<Client> client = ClientOf({.url = server.url(),
                                                   .timeout = absl::Milliseconds(50),
                                                   .retry_after = absl::Milliseconds(100),
                                                   .connections = 1});
  ASSERT_TRUE(Answers(*client, Batch().Add({"SET", "a", "1"})).ok());
  server.Halt();
  EXPECT_EQ(ErrorReason(Answers(*client, Batch().Add({"GET", "a"})).status()), "REDIS_UNAVAILABLE");
  EXPECT_TRUE(client->is_away());
  server.GoOn();
  const absl::StatusOr<Replies> back = AnswersWhenBack(*client, Batch().Add({"GET", "a"}));
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(back->front().text, "1") << "an answer belongs to its own question";
}

TEST_F(RedisTest, AFullRedisSaysSoAndStillReads) {
  testing::RedisServer server;
  const std::unique_ptr<Client> client = ClientOf({.url = server.url()});
  ASSERT_TRUE(Answers(*client, Batch().Add({"SET", "a", "1"}).Add({"CONFIG", "SET", "maxmemory", "1"})).ok());
  EXPECT_EQ(ErrorReason(Answers(*client, Batch().Add({"SET", "b", "1"})).status()), "REDIS_FULL");
  EXPECT_EQ(Text(*client, "a"), "1");
}

TEST(RedisUrlTest, IsChecked) {
  for (const char* url : {"", "127.0.0.1:6379", "redis://127.0.0.1", "redis://:6379", "redis://h:0",
                          "redis://h:70000", "redis://h:1/x", "redis://h:1/-1"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(Client::Create({.url = url}).status())) << url;
  }
  EXPECT_TRUE(Client::Create({.url = "redis://localhost:6379"}).ok());
}

}  // namespace
}  // namespace bv::redis
