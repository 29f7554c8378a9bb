// One process while this replica drives it, and who waits for its end.
#pragma once

#include <absl/time/time.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <memory>
#include <optional>
#include <set>

#include "libs/async/task.h"
#include "services/order/store/process_rows.h"

namespace bv::order {

// Thread safe.
class Drive : public std::enable_shared_from_this<Drive> {
 public:
  // `order` as it is, when that is known.
  Drive(boost::asio::io_context& io, TenantProcess owned, std::optional<Order> order)
      : owned_(std::move(owned)),
        order_(std::move(order)),
        begun_at_(absl::Now()),
        strand_(boost::asio::make_strand(io)) {}

  const TenantProcess& owned() const { return owned_; }
  const std::optional<Order>& order() const { return order_; }
  absl::Time begun_at() const { return begun_at_; }

  // The order when the process has ended; absent when the drive was given up without that, or at `deadline`.
  async::Task<std::optional<Order>> Wait(absl::Time deadline);
  // Once, after what came of the drive is stored: wakes all who wait.
  void End(std::optional<Order> ended);

 private:
  async::Task<std::optional<Order>> WaitInStrand(absl::Time deadline);

  const TenantProcess owned_;
  const std::optional<Order> order_;
  const absl::Time begun_at_;
  boost::asio::strand<boost::asio::io_context::executor_type> strand_;
  // In the strand.
  bool over_ = false;
  std::optional<Order> ended_;
  std::set<boost::asio::steady_timer*> waiting_;
};

}  // namespace bv::order
