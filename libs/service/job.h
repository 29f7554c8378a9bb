// A round of work that is done again and again in the background.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <functional>
#include <future>
#include <stop_token>
#include <string>

#include "libs/async/task.h"

namespace bv::service {

class Job {
 public:
  // `round` returns whether there is more to do at once. A round that fails is logged, and the next one does
  // its work.
  using Round = std::function<async::Task<absl::StatusOr<bool>>(std::stop_token stop)>;

  Job(boost::asio::io_context& io, std::string name, absl::Duration interval, Round round);

  void Start();
  // Returns when the round that runs, if any, has ended. Not from a thread of `io`, which has to run.
  void Stop();
  std::stop_token stop_token() const { return stop_.get_token(); }

 private:
  async::Task<void> Run();

  const std::string name_;
  const absl::Duration interval_;
  const Round round_;
  boost::asio::strand<boost::asio::io_context::executor_type> strand_;
  boost::asio::steady_timer timer_;
  std::stop_source stop_;
  // Of Run; valid once started.
  std::future<void> ended_;
};

}  // namespace bv::service
