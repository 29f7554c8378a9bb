// How many requests a tenant, a caller and an address may make.
//
// Every replica decides by buckets of its own, at once, and asks nobody. It tells Redis in the background
// what was used, in blocks of a twentieth of the burst, and learns there what all replicas together have
// left. So a limit may be passed by one block for each replica, and by what comes within one exchange; what
// was passed is a debt that is waited for. Without Redis each replica gives the whole limit.
#pragma once

#include <absl/status/statusor.h>
#include <prometheus/counter.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "libs/async/task.h"
#include "libs/base/values.h"
#include "libs/config/config.h"
#include "libs/http/message.h"
#include "libs/redis/redis.h"
#include "services/gateway/limits/bucket.h"

namespace bv::gateway {

struct LimitSettings {
  BucketPolicy tenant;
  BucketPolicy token;
  BucketPolicy address;
  // Buckets that a replica keeps; of more, some that are nearly full are forgotten.
  int keys_max = 0;

  void Bind(config::Binder& b);  // limits.…
};

enum class LimitBy { kAddress, kTenant, kToken };
constexpr std::size_t kLimits = 3;

// What one request has found, over all its buckets.
struct LimitState {
  // Empty: not refused.
  std::optional<LimitBy> refused_by;
  absl::Duration retry_after;
  // The bucket of which the smallest share is left.
  std::optional<LimitBy> tightest;
  double left = 0;
  double share = 2;
};

// Thread safe.
class Limits {
 public:
  // `redis` outlives it and is stopped first; null: there is no other replica.
  Limits(const LimitSettings& settings, boost::asio::io_context& io, redis::Client* redis);
  ~Limits();
  Limits(const Limits&) = delete;
  Limits& operator=(const Limits&) = delete;

  // Each takes one token and returns false when there is none. Of an IPv6 address the first 64 bits count,
  // which is what one customer of a provider has. Of a token it counts whose it is.
  bool TakeAddress(std::string_view address, LimitState& state);
  bool TakeTenant(const TenantId& tenant, LimitState& state);
  bool TakeToken(const TenantId& tenant, std::string_view user_id, LimitState& state);

  // RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers).
  void AddHeaders(const LimitState& state, http::Response& response) const;

 private:
  struct Parts;

  const std::shared_ptr<Parts> parts_;
  std::string policy_header_;
};

// "tenant".
std::string_view LimitName(LimitBy by);

}  // namespace bv::gateway
