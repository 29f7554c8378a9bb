// A piece of work that is done again and again in the background.
#pragma once

#include <absl/time/time.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <functional>
#include <future>
#include <stop_token>

#include "libs/async/task.h"

namespace bv::order {

class Periodic {
 public:
  // `round` bounds its own time and ends soon once the token is stopped.
  using Round = std::function<async::Task<void>(std::stop_token stop)>;
  Periodic(boost::asio::io_context& io, absl::Duration interval, Round round);

  // The first round begins after one interval; each later one an interval after the end of the one before.
  void Start();
  // Returns when the round that runs, if any, has ended. Not from a thread of `io`, which has to run.
  void Stop();

 private:
  async::Task<void> Run();

  const absl::Duration interval_;
  const Round round_;
  boost::asio::strand<boost::asio::io_context::executor_type> strand_;
  boost::asio::steady_timer timer_;
  std::stop_source stop_;
  // Of Run; valid once started.
  std::future<void> ended_;
};

}  // namespace bv::order
