// Several coroutines at once.
#pragma once

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <exception>
#include <memory>
#include <optional>
#include <vector>

#include "libs/async/task.h"

namespace bv::async {

// Runs all of them on the caller's executor, and returns their results in the same order when the last one
// has ended.
template <class T>
Task<std::vector<T>> All(std::vector<Task<T>> tasks) {
  const auto executor = co_await asio::this_coro::executor;
  std::vector<std::optional<T>> results(tasks.size());
  std::atomic<std::size_t> running = tasks.size();
  auto start = [&](Done<bool> done) {
    if (tasks.empty()) return std::move(done)(true);
    auto shared = std::make_shared<Done<bool>>(std::move(done));
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      asio::co_spawn(executor, std::move(tasks[i]),
                     [&results, &running, i, shared](std::exception_ptr, T result) {
                       results[i] = std::move(result);
                       if (running.fetch_sub(1) == 1) std::move (*shared)(true);
                     });
    }
  };
  co_await Await<bool>(start);
  std::vector<T> all;
  all.reserve(results.size());
  for (std::optional<T>& result : results) all.push_back(*std::move(result));
  co_return all;
}

}  // namespace bv::async
