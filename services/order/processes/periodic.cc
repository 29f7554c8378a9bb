#include "services/order/processes/periodic.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_future.hpp>

namespace bv::order {

namespace asio = boost::asio;

Periodic::Periodic(asio::io_context& io, absl::Duration interval, Round round)
    : interval_(interval), round_(std::move(round)), strand_(asio::make_strand(io)), timer_(strand_) {}

void Periodic::Start() {
  ended_ = asio::co_spawn(strand_, Run(), asio::use_future);
}

void Periodic::Stop() {
  if (!ended_.valid()) return;
  stop_.request_stop();
  asio::post(strand_, asio::use_future([this] { timer_.cancel(); })).wait();
  ended_.wait();
}

async::Task<void> Periodic::Run() {
  while (!stop_.stop_requested()) {
    timer_.expires_after(absl::ToChronoNanoseconds(interval_));
    boost::system::error_code cancelled;
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    if (cancelled || stop_.stop_requested()) co_return;
    co_await round_(stop_.get_token());
  }
}

}  // namespace bv::order
