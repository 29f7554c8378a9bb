// Coroutines of the fleet: Boost.Asio awaitables that return absl::Status or absl::StatusOr and never throw.
#pragma once

#include <absl/functional/any_invocable.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>
#include <utility>

#include "libs/async/inline_executor.h"

namespace bv::async {

namespace asio = boost::asio;

template <class T>
using Task = asio::awaitable<T>;

// Called exactly once, from any thread, with the result.
template <class T>
using Done = absl::AnyInvocable<void(T) &&>;

// Turns a call with a callback into an awaitable: `start` receives the Done to call. The coroutine goes on in
// its own executor.
//
//   Stock stock = co_await async::Await<Stock>([&](async::Done<Stock> done) { lane.Submit(request,
//   std::move(done)); });
template <class T, class Start>
Task<T> Await(Start start) {
  return asio::async_initiate<const asio::use_awaitable_t<>, void(T)>(
      [](auto handler, Start begin) {
        auto executor = asio::get_associated_executor(handler);
        begin(Done<T>([handler = std::move(handler), executor](T result) mutable {
          asio::post(executor, [handler = std::move(handler), result = std::move(result)]() mutable {
            std::move(handler)(std::move(result));
          });
        }));
      },
      asio::use_awaitable, std::move(start));
}

// The same where the callback is made by one that knows the coroutine's executor and is in it: a callback
// goes on with the coroutine at once, without a further turn. Not to be called from inside `start`.
template <class T, class Start>
Task<T> AwaitInTurn(Start start) {
  return asio::async_initiate<const asio::use_awaitable_t<>, void(T)>(
      [](auto handler, Start begin) {
        begin(Done<T>(
            [handler = std::move(handler)](T result) mutable { std::move(handler)(std::move(result)); }));
      },
      asio::use_awaitable, std::move(start));
}

// The same where the callback comes from a thread that may go on with the coroutine: that is done if the
// coroutine has an InlineExecutor, else it gets its turn in its own executor. Also from inside `start`.
template <class T, class Start>
Task<T> AwaitHere(Start start) {
  return asio::async_initiate<const asio::use_awaitable_t<>, void(T)>(
      [](auto handler, Start begin) {
        auto executor = asio::get_associated_executor(handler);
        // Of the `start` that runs on this thread, if one does: a coroutine is not resumed before it is
        // suspended.
        static thread_local const void* starting = nullptr;
        const char mark = 0;
        const void* const before = std::exchange(starting, &mark);
        begin(Done<T>([handler = std::move(handler), executor, mine = &mark](T result) mutable {
          const bool may_go_on = executor.template target<InlineExecutor>() != nullptr && starting != mine;
          if (may_go_on) return std::move(handler)(std::move(result));
          asio::post(executor, [handler = std::move(handler), result = std::move(result)]() mutable {
            std::move(handler)(std::move(result));
          });
        }));
        starting = before;
      },
      asio::use_awaitable, std::move(start));
}

}  // namespace bv::async
