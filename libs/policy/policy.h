// Asks whether a caller may do something with one object, where the method options of the contract do not say
// it: the rules stand in deploy/opa, in Rego, and OPA evaluates them beside the service.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libs/async/task.h"
#include "libs/base/request_context.h"
#include "libs/config/config.h"
#include "libs/http/pooled_client.h"

namespace bv::policy {

// What the caller of a request wants to do, with what.
struct Question {
  // "order.cancel".
  std::string action;
  // "order", and which one.
  std::string resource_type;
  std::string resource_id;
  // The object as it was read, by what the rules look at: "owner", "status".
  std::vector<std::pair<std::string, std::string>> properties;
};

// Thread safe.
class Policy {
 public:
  virtual ~Policy() = default;

  // OK: it is allowed. PERMISSION_DENIED, reason POLICY_DENIED: it is not, and the message says why.
  // UNAVAILABLE, reason POLICY_UNAVAILABLE: nobody knows, so it is not allowed now.
  virtual async::Task<absl::Status> Check(Question question, const RequestContext& context) = 0;
};

struct Settings {
  // host:port of OPA.
  std::string address;
  // From the question to the decision.
  absl::Duration timeout;
  // Questions at once; more are answered with POLICY_UNAVAILABLE.
  int in_flight_max = 0;

  void Bind(config::Binder& b);  // opa.address, opa.timeout, opa.in_flight_max
};

// Asks OPA over connections that are kept. Remembers no decision: one depends on the object as it is
// now.
class Opa final : public Policy {
 public:
  // INVALID_ARGUMENT for an address that is none. Asks nothing yet: a service starts without OPA, and refuses
  // until it is there. `io` outlives it.
  static absl::StatusOr<std::unique_ptr<Opa>> Create(boost::asio::io_context& io, const Settings& settings);
  ~Opa() override;

  async::Task<absl::Status> Check(Question question, const RequestContext& context) override;

 private:
  struct Decision {
    bool allow = false;
    std::string reason;
  };

  Opa(boost::asio::io_context& io, http::Url url, const Settings& settings);

  // One decision, or why there is none.
  async::Task<absl::StatusOr<Decision>> Decide(std::string question, absl::Time deadline);
  static absl::StatusOr<Decision> Parse(std::string_view answer);

  // A decision changes nothing, so it may be asked for twice.
  http::PooledClient client_;
  const Settings settings_;
  std::atomic<int> in_flight_ = 0;
};

}  // namespace bv::policy
