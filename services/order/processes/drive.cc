#include "services/order/processes/drive.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>

namespace bv::order {

namespace {

namespace asio = boost::asio;

// For callers without a deadline; they ask again.
constexpr absl::Duration kWaitMax = absl::Minutes(1);

}  // namespace

async::Task<std::optional<Order>> Drive::Wait(absl::Time deadline) {
  co_return co_await asio::co_spawn(strand_, WaitInStrand(deadline), asio::use_awaitable);
}

async::Task<std::optional<Order>> Drive::WaitInStrand(absl::Time deadline) {
  if (!over_) {
    const absl::Duration wait = std::min(deadline - absl::Now(), kWaitMax);
    asio::steady_timer timer(strand_, absl::ToChronoNanoseconds(wait));
    waiting_.insert(&timer);
    boost::system::error_code woken;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    waiting_.erase(&timer);
  }
  co_return ended_;
}

void Drive::End(std::optional<Order> ended) {
  asio::post(strand_, [self = shared_from_this(), ended = std::move(ended)]() mutable {
    self->over_ = true;
    self->ended_ = std::move(ended);
    for (asio::steady_timer* timer : self->waiting_) timer->cancel();
  });
}

}  // namespace bv::order
