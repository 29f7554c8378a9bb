// The path /sse/flash-sales: the sales of a tenant as an event stream, and all who listen.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "libs/http/message.h"
#include "libs/kafka/consumer.h"
#include "services/notification/domain/sales.h"
#include "services/notification/sse/audience.h"
#include "services/notification/sse/settings.h"

namespace bv::notification {

// Thread safe, but for Drain.
class SalesEndpoint {
 public:
  // Its clients are shared out to `audiences` strands. `origins` as of the WebSockets: which pages may read.
  SalesEndpoint(boost::asio::io_context& io, const StreamSettings& settings, std::vector<std::string> origins,
                int audiences);

  // For the follower, which begins in this partition with this offset; and its messages, in their order.
  void Begin(int partition, std::int64_t offset);
  void Handle(std::span<const kafka::Message> messages);

  // Has the connection taken over, or says why not: INVALID_ARGUMENT for a tenant that is missing or none,
  // and as ConnectionLimits::Take, by address.
  absl::Status Open(const http::Request& request, http::Response& response);

  // To be called some times a second: keeps silent streams open.
  void Sweep();
  // Ends all streams, and returns when they have; what is left at the deadline is cut off. There are no new
  // ones any more. Blocks.
  void Drain(absl::Time deadline);

 private:
  Greeting Greet(const std::string& tenant, const std::optional<Cursor>& last, std::string head) const;
  // With the lock held.
  void Publish(const SaleEventPtr& event);

  const StreamSettings settings_;
  const std::vector<std::string> origins_;
  ConnectionLimits limits_;
  std::vector<std::shared_ptr<Audience>> audiences_;
  std::atomic<unsigned> next_{0};
  absl::Time heartbeat_at_;

  mutable std::mutex mutex_;
  Sales sales_;
  std::uint64_t broadcasts_ = 0;
};

}  // namespace bv::notification
