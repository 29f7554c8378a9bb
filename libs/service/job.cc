#include "libs/service/job.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_future.hpp>

#include "libs/telemetry/telemetry.h"

namespace bv::service {

namespace asio = boost::asio;

Job::Job(asio::io_context& io, std::string name, absl::Duration interval, Round round)
    : name_(std::move(name)),
      interval_(interval),
      round_(std::move(round)),
      strand_(asio::make_strand(io)),
      timer_(strand_) {}

void Job::Start() {
  ended_ = asio::co_spawn(strand_, Run(), asio::use_future);
}

void Job::Stop() {
  if (!ended_.valid()) return;
  stop_.request_stop();
  asio::post(strand_, asio::use_future([this] { timer_.cancel(); })).wait();
  ended_.wait();
}

async::Task<void> Job::Run() {
  bool more = false;
  while (!stop_.stop_requested()) {
    if (!more) {
      timer_.expires_after(absl::ToChronoNanoseconds(interval_));
      boost::system::error_code cancelled;
      co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
      if (cancelled || stop_.stop_requested()) co_return;
    }
    const absl::StatusOr<bool> done = co_await round_(stop_.get_token());
    more = done.ok() && *done;
    if (!done.ok()) {
      telemetry::LogLimited(telemetry::Level::kWarn, "a background job did not finish its round",
                            {{"job", name_}, {"error", done.status()}});
    }
  }
}

}  // namespace bv::service
