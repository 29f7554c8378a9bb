#include "libs/resilience/bounded_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <numeric>
#include <thread>
#include <vector>

namespace bv::resilience {
namespace {

using std::chrono::milliseconds;

TEST(BoundedQueue, KeepsOrderAndTakesAtMostMax) {
  BoundedQueue<int> queue(10);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(queue.TryPush(int{i}));
  EXPECT_EQ(queue.PopAll(3), (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(queue.size(), 2u);
  EXPECT_EQ(queue.PopAll(100), (std::vector<int>{3, 4}));
  EXPECT_EQ(queue.size(), 0u);
}

TEST(BoundedQueue, RefusesWhenFullAndLeavesTheItemToTheCaller) {
  BoundedQueue<std::unique_ptr<int>> queue(1);
  ASSERT_TRUE(queue.TryPush(std::make_unique<int>(1)));
  auto refused = std::make_unique<int>(2);
  EXPECT_FALSE(queue.TryPush(std::move(refused)));
  ASSERT_NE(refused, nullptr);
  EXPECT_EQ(*refused, 2);
  EXPECT_EQ(*queue.PopAll(1).at(0), 1);
  EXPECT_TRUE(queue.TryPush(std::move(refused)));
}

TEST(BoundedQueue, CloseRefusesPushesButHandsOutWhatIsLeft) {
  BoundedQueue<int> queue(4);
  ASSERT_TRUE(queue.TryPush(1));
  ASSERT_TRUE(queue.TryPush(2));
  queue.Close();
  EXPECT_FALSE(queue.TryPush(3));
  EXPECT_EQ(queue.PopAll(1), std::vector<int>{1});
  EXPECT_EQ(queue.PopAll(1), std::vector<int>{2});
  EXPECT_TRUE(queue.PopAll(1).empty());
  queue.Close();
  EXPECT_TRUE(queue.closed());
}

TEST(BoundedQueue, PopAllForGivesUpAfterItsTime) {
  BoundedQueue<int> queue(4);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(queue.PopAllFor(1, milliseconds(20)).empty());
  EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(20));
  EXPECT_FALSE(queue.closed());
  ASSERT_TRUE(queue.TryPush(7));
  EXPECT_EQ(queue.PopAllFor(1, std::chrono::hours(1)), std::vector<int>{7});
}

TEST(BoundedQueue, CloseWakesEveryWaitingConsumer) {
  BoundedQueue<int> queue(4);
  std::atomic<int> ended = 0;
  std::vector<std::jthread> consumers;
  for (int i = 0; i < 4; ++i) {
    consumers.emplace_back([&] {
      while (!queue.PopAll(1).empty()) {
      }
      ++ended;
    });
  }
  ASSERT_TRUE(queue.TryPush(1));
  queue.Close();
  consumers.clear();
  EXPECT_EQ(ended, 4);
}

TEST(BoundedQueue, ManyProducersAndConsumersLoseAndDoubleNothing) {
  constexpr int kProducers = 4;
  constexpr int kItems = 5000;
  BoundedQueue<int> queue(64);
  std::vector<std::vector<int>> seen(3);
  {
    std::vector<std::jthread> consumers;
    for (auto& mine : seen) {
      consumers.emplace_back([&queue, &mine] {
        for (auto batch = queue.PopAll(16); !batch.empty(); batch = queue.PopAll(16)) {
          EXPECT_LE(batch.size(), 16u);
          mine.insert(mine.end(), batch.begin(), batch.end());
        }
      });
    }
    std::vector<std::jthread> producers;
    for (int p = 0; p < kProducers; ++p) {
      producers.emplace_back([&queue, p] {
        for (int i = 0; i < kItems; ++i) {
          while (!queue.TryPush(p * kItems + i)) std::this_thread::yield();
        }
      });
    }
    producers.clear();
    queue.Close();
  }
  std::vector<int> all;
  for (const auto& mine : seen) all.insert(all.end(), mine.begin(), mine.end());
  std::sort(all.begin(), all.end());
  std::vector<int> expected(kProducers * kItems);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(all, expected);
}

}  // namespace
}  // namespace bv::resilience
