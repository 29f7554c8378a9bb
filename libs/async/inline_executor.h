// An executor for coroutines that may go on wherever they are resumed.
#pragma once

#include <boost/asio/execution.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <utility>

namespace bv::async {

// Runs what it is given at once, on the calling thread; posts to the io_context where "never block" is asked
// for. A handler of a server that begins on the thread that read its request, and goes on with the answer of
// a peer on the thread that read that, saves a change of threads each time. Not for code that blocks, nor for
// code that relies on a strand.
class InlineExecutor {
 public:
  explicit InlineExecutor(boost::asio::io_context& io) : io_(&io) {}

  template <class Function>
  void execute(Function&& function) const {
    if (never_blocks_) {
      boost::asio::post(io_->get_executor(), std::forward<Function>(function));
    } else {
      std::decay_t<Function> here(std::forward<Function>(function));
      std::move(here)();
    }
  }

  // What Boost.Asio asks of an executor.
  boost::asio::execution_context& query(boost::asio::execution::context_t) const noexcept { return *io_; }
  InlineExecutor require(boost::asio::execution::blocking_t::never_t) const noexcept {
    InlineExecutor copy = *this;
    copy.never_blocks_ = true;
    return copy;
  }
  friend bool operator==(const InlineExecutor&, const InlineExecutor&) noexcept = default;

 private:
  boost::asio::io_context* io_;
  bool never_blocks_ = false;
};

}  // namespace bv::async
