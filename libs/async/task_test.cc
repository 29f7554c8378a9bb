#include "libs/async/task.h"

#include <absl/status/statusor.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "libs/base/macros.h"

namespace bv::async {
namespace {

// An io_context with one thread, whose id tells where a coroutine runs.
class Loop {
 public:
  Loop() : work_(io_.get_executor()), thread_([this] { io_.run(); }) {}
  ~Loop() {
    work_.reset();
    thread_.join();
  }
  template <class T>
  T Run(Task<T> task) {
    return asio::co_spawn(io_, std::move(task), asio::use_future).get();
  }
  std::thread::id thread() const { return thread_.get_id(); }

 private:
  asio::io_context io_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::thread thread_;
};

TEST(Await, GoesOnInItsExecutorWhenAnotherThreadCallsBack) {
  Loop loop;
  std::thread caller;
  const auto task = [](std::thread& other) -> Task<std::thread::id> {
    auto start = [&other](Done<int> done) {
      other = std::thread([done = std::move(done)]() mutable { std::move(done)(7); });
    };
    EXPECT_EQ(co_await Await<int>(start), 7);
    co_return std::this_thread::get_id();
  };
  EXPECT_EQ(loop.Run(task(caller)), loop.thread());
  caller.join();
}

// A coroutine that is spawned in an InlineExecutor, on the thread that calls.
template <class T>
std::future<T> SpawnHere(asio::io_context& io, Task<T> task) {
  return asio::co_spawn(InlineExecutor(io), std::move(task), asio::use_future);
}

TEST(AwaitHere, BeginsAndGoesOnWhereItIsCalled) {
  asio::io_context io;
  std::optional<Done<int>> waiting;
  std::vector<std::thread::id> threads;
  const auto task = [](std::optional<Done<int>>& done, std::vector<std::thread::id>& seen) -> Task<int> {
    seen.push_back(std::this_thread::get_id());
    auto start = [&done](Done<int> callback) { done = std::move(callback); };
    const int result = co_await AwaitHere<int>(start);
    seen.push_back(std::this_thread::get_id());
    co_return result;
  };
  std::future<int> result = SpawnHere(io, task(waiting, threads));
  ASSERT_TRUE(waiting.has_value()) << "it has begun, though nobody runs the io_context";
  std::thread caller([&waiting] { (*std::move(waiting))(7); });
  const std::thread::id called_from = caller.get_id();
  caller.join();
  EXPECT_EQ(result.get(), 7);
  EXPECT_EQ(threads, (std::vector<std::thread::id>{std::this_thread::get_id(), called_from}));
}

TEST(AwaitHere, ACallbackFromInsideStartTakesATurn) {
  asio::io_context io;
  const auto task = []() -> Task<int> {
    int sum = 0;
    for (int i = 0; i < 10'000; ++i) {
      // Called at once; the stack must not grow with it.
      auto start = [i](Done<int> done) { std::move(done)(i); };
      sum += co_await AwaitHere<int>(start) == i ? 1 : 0;
    }
    co_return sum;
  };
  std::future<int> result = SpawnHere(io, task());
  io.run();
  EXPECT_EQ(result.get(), 10'000);
}

TEST(AwaitHere, ElsewhereItGoesOnInItsExecutor) {
  Loop loop;
  std::thread caller;
  const auto task = [](std::thread& other) -> Task<std::thread::id> {
    auto start = [&other](Done<int> done) {
      other = std::thread([done = std::move(done)]() mutable { std::move(done)(7); });
    };
    EXPECT_EQ(co_await AwaitHere<int>(start), 7);
    co_return std::this_thread::get_id();
  };
  EXPECT_EQ(loop.Run(task(caller)), loop.thread());
  caller.join();
}

TEST(Await, TakesACallbackFromInsideStart) {
  Loop loop;
  const auto task = []() -> Task<int> {
    int sum = 0;
    for (int i = 0; i < 10'000; ++i) {
      // Called at once; the stack must not grow with it.
      auto start = [i](Done<int> done) { std::move(done)(i); };
      sum += co_await Await<int>(start);
    }
    co_return sum;
  };
  EXPECT_EQ(loop.Run(task()), 49'995'000);
}

TEST(Await, MovesTheResult) {
  Loop loop;
  const auto task = []() -> Task<std::unique_ptr<int>> {
    auto start = [](Done<std::unique_ptr<int>> done) { std::move(done)(std::make_unique<int>(7)); };
    co_return co_await Await<std::unique_ptr<int>>(start);
  };
  EXPECT_EQ(*loop.Run(task()), 7);
}

// Ten thousand waits, each answered by one of several threads: each goes on once, with its own answer.
TEST(Await, GoesOnExactlyOnce) {
  Loop loop;
  constexpr int kWaits = 10'000;
  asio::io_context elsewhere;
  auto work = asio::make_work_guard(elsewhere);
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) threads.emplace_back([&elsewhere] { elsewhere.run(); });
  std::atomic<int> resumed{0};
  const auto task = [](asio::io_context& io, std::atomic<int>& count, int i) -> Task<bool> {
    auto start = [&io, i](Done<int> done) {
      asio::post(io, [done = std::move(done), i]() mutable { std::move(done)(i); });
    };
    const int answer = co_await Await<int>(start);
    count.fetch_add(1);
    co_return answer == i;
  };
  for (int i = 0; i < kWaits; ++i) EXPECT_TRUE(loop.Run(task(elsewhere, resumed, i)));
  EXPECT_EQ(resumed.load(), kWaits);
  work.reset();
  for (std::thread& thread : threads) thread.join();
}

TEST(Await, ADroppedCallbackFreesTheCoroutine) {
  auto alive = std::make_shared<int>(7);
  std::weak_ptr<int> watch = alive;
  const auto task = [](std::shared_ptr<int> held) -> Task<void> {
    auto start = [](Done<int>) {};
    *held = co_await Await<int>(start);
  };
  asio::io_context io;
  asio::co_spawn(io, task(std::move(alive)), [](std::exception_ptr) { FAIL() << "nobody called back"; });
  io.run();
  EXPECT_TRUE(watch.expired());
}

Task<absl::StatusOr<int>> Half(int n) {
  if (n % 2 != 0) co_return absl::InvalidArgumentError("odd");
  co_return n / 2;
}

Task<absl::StatusOr<int>> Quarter(int n) {
  CO_ASSIGN_OR_RETURN(const int half, co_await Half(n));
  CO_RETURN_IF_ERROR((co_await Half(half)).status());
  CO_ASSIGN_OR_RETURN(const int quarter, co_await Half(half));
  co_return quarter;
}

TEST(Macros, ReturnFromACoroutineAtTheFirstError) {
  Loop loop;
  EXPECT_EQ(loop.Run(Quarter(12)).value(), 3);
  EXPECT_EQ(loop.Run(Quarter(3)).status(), absl::InvalidArgumentError("odd"));
  EXPECT_EQ(loop.Run(Quarter(6)).status(), absl::InvalidArgumentError("odd"));
}

}  // namespace
}  // namespace bv::async
