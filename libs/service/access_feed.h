// Hears which tokens were revoked and who works for a tenant, and tells the verifier: what services/identity
// says on Kafka.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>
#include <prometheus/gauge.h>

#include <boost/asio/io_context.hpp>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "libs/auth/auth.h"
#include "libs/config/config.h"
#include "libs/kafka/follower.h"
#include "libs/service/job.h"

namespace bv::service {

struct AccessSettings {
  // "127.0.0.1:9092,…"; empty: nothing is heard, and no token is known to be revoked.
  std::string brokers;
  // "allow" or "refuse": what a token in the role STAFF may do whose subject has no account.
  std::string unknown_staff;

  void Bind(config::Binder& b);  // access.brokers, access.unknown_staff
};

// Both topics are read from their beginning at each start, and followed from then on. Until that first
// reading is through, the verifier takes no token. When the brokers are away later, what is known goes on,
// and the metric and a warning say since when.
class AccessFeed {
 public:
  // `service` is what brokers call it. `verifier` outlives it.
  AccessFeed(boost::asio::io_context& io, AccessSettings settings, std::string_view service,
             auth::Verifier& verifier);
  // As above, with other topics than the contract's, for tests.
  AccessFeed(boost::asio::io_context& io, AccessSettings settings, std::string_view service,
             auth::Verifier& verifier, std::vector<std::string> topics);
  ~AccessFeed();
  AccessFeed(const AccessFeed&) = delete;
  AccessFeed& operator=(const AccessFeed&) = delete;

  // Returns at once, whether the brokers are there or not. INVALID_ARGUMENT names the setting that cannot be.
  absl::Status Start();
  // Returns when the first reading is through: true; or with the stop: false.
  bool AwaitKnown(const std::stop_token& stop);
  // Not from a thread of `io`, which has to run. The destructor stops, too.
  void Stop();

 private:
  void Take(std::span<const kafka::Message> messages);
  // Why an event cannot be used.
  absl::Status TakeOne(const kafka::Message& message);
  // Whether the first reading is through, and tells the verifier when it is.
  bool IsKnown();
  // How old is what is known.
  void Look();

  const AccessSettings settings_;
  const std::string client_id_;
  const std::vector<std::string> topics_;
  auth::Verifier& verifier_;
  std::unique_ptr<kafka::Follower> follower_;
  Job look_;
  prometheus::Gauge& age_;
  absl::Time heard_at_;
};

}  // namespace bv::service
