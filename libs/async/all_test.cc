#include "libs/async/all.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <future>

namespace bv::async {
namespace {

template <class T>
T RunToEnd(Task<T> task) {
  asio::io_context io;
  std::future<T> result = asio::co_spawn(io, std::move(task), asio::use_future);
  io.run();
  return result.get();
}

Task<int> Later(std::vector<Done<int>>& waiting) {
  auto start = [&waiting](Done<int> done) { waiting.push_back(std::move(done)); };
  co_return co_await Await<int>(start);
}

TEST(All, RunsThemAtOnceAndKeepsTheirOrder) {
  std::vector<Done<int>> waiting;
  const auto task = [](std::vector<Done<int>>& begun) -> Task<std::vector<int>> {
    std::vector<Task<int>> tasks;
    for (int i = 0; i < 3; ++i) tasks.push_back(Later(begun));
    const auto release = [](std::vector<Done<int>>& all) -> Task<int> {
      // The others have begun and wait by now.
      EXPECT_EQ(all.size(), 3u);
      for (std::size_t i = all.size(); i-- > 0;) std::move(all[i])(static_cast<int>(i) * 10);
      co_return 99;
    };
    tasks.push_back(release(begun));
    co_return co_await All(std::move(tasks));
  };
  EXPECT_THAT(RunToEnd(task(waiting)), ::testing::ElementsAre(0, 10, 20, 99));
}

TEST(All, OfNoneIsNone) {
  const auto task = []() -> Task<std::vector<int>> {
    std::vector<Task<int>> none;
    co_return co_await All(std::move(none));
  };
  EXPECT_THAT(RunToEnd(task()), ::testing::IsEmpty());
}

}  // namespace
}  // namespace bv::async
