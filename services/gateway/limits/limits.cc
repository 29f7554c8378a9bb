#include "services/gateway/limits/limits.h"

#include <absl/container/flat_hash_map.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <cmath>

#include "libs/base/clock.h"
#include "libs/base/strings.h"
#include "libs/telemetry/telemetry.h"

namespace bv::gateway {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kShards = 16;
// Of a full shard so many are looked at for one to be forgotten.
constexpr int kEvictionSample = 8;
constexpr std::size_t kReportsAtOnce = 128;
// Redis has so long for an exchange; what it answers later nobody waits for.
constexpr absl::Duration kExchangeMax = absl::Milliseconds(100);
constexpr std::array<const char*, kLimits> kNames = {"address", "tenant", "token"};

// ARGV: rate, burst, used. Debts of up to one burst are kept, so that what several replicas gave too much at
// once is waited for. The answer is the level.
const redis::Script kUse(R"(
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local rate, burst, used = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local known = redis.call('HMGET', KEYS[1], 'level', 'at')
local level = tonumber(known[1]) or burst
local at = tonumber(known[2]) or now
level = math.min(burst, level + math.max(0, now - at) * rate)
level = math.max(-burst, level - used)
redis.call('HSET', KEYS[1], 'level', string.format('%.6f', level), 'at', string.format('%.6f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil((burst - level) / rate * 1000) + 1000)
return string.format('%.6f', level)
)");

double Now() {
  return absl::ToDoubleSeconds(MonotonicNow() - absl::UnixEpoch());
}

// One customer has a whole network of 64 bits.
void AppendAddress(std::string_view address, std::string& key) {
  if (address.find(':') == std::string_view::npos) {
    key += address;
    return;
  }
  boost::system::error_code error;
  const auto v6 = boost::asio::ip::make_address_v6(address, error);
  if (error) {
    key += address;
    return;
  }
  const auto bytes = v6.to_bytes();
  for (std::size_t i = 0; i < 8; ++i) absl::StrAppendFormat(&key, "%02x", bytes[i]);
}

std::int64_t Ceil(double value) {
  return static_cast<std::int64_t>(std::ceil(std::max(0.0, value)));
}

}  // namespace

struct Limits::Parts : std::enable_shared_from_this<Parts> {
  struct Report {
    LimitBy by;
    std::string key;
    double used;
  };
  struct Shard {
    std::mutex mutex;
    absl::flat_hash_map<std::string, Bucket> buckets;
  };

  Parts(const LimitSettings& settings, asio::io_context& io_context, redis::Client* client)
      : policies{settings.address, settings.tenant, settings.token},
        shard_max(std::max<std::size_t>(1, static_cast<std::size_t>(settings.keys_max) / kShards)),
        io(io_context),
        redis(client),
        told(telemetry::Counter("gateway_limit_reports_total", "What was used, as it was told to Redis.",
                                {{"outcome", "told"}})),
        lost(telemetry::Counter("gateway_limit_reports_total", "What was used, as it was told to Redis.",
                                {{"outcome", "lost"}})) {
    for (std::size_t i = 0; i < kLimits; ++i) {
      limited[i] = &telemetry::Counter("gateway_rate_limited_total", "Requests refused by a limit.",
                                       {{"by", kNames[i]}});
    }
  }

  const BucketPolicy& PolicyOf(LimitBy by) const { return policies[static_cast<std::size_t>(by)]; }
  Shard& ShardOf(std::string_view key) {
    return shards[absl::Hash<absl::string_view>()(Absl(key)) % kShards];
  }

  bool Take(LimitBy by, const std::string& key, LimitState& state) {
    const BucketPolicy& policy = PolicyOf(by);
    const double now = Now();
    Shard& shard = ShardOf(key);
    std::unique_lock lock(shard.mutex);
    Bucket& bucket = Find(shard, key, policy, now);
    const bool taken = bucket.TryTake(policy, now);
    const double level = bucket.level();
    const std::optional<double> used = redis == nullptr ? std::nullopt : bucket.TakeReport(policy);
    lock.unlock();
    if (used) Enqueue({by, key, *used});
    if (const double share = level / policy.burst; share < state.share) {
      state.share = share;
      state.left = level;
      state.tightest = by;
    }
    if (taken) return true;
    state.refused_by = by;
    state.retry_after = absl::Seconds((1 - level) / policy.rate);
    limited[static_cast<std::size_t>(by)]->Increment();
    return false;
  }

  // With the shard's lock held.
  Bucket& Find(Shard& shard, const std::string& key, const BucketPolicy& policy, double now) {
    if (const auto found = shard.buckets.find(key); found != shard.buckets.end()) return found->second;
    if (shard.buckets.size() >= shard_max) {
      // begin() is somewhere in the table, which has no order.
      auto victim = shard.buckets.begin();
      auto other = victim;
      for (int i = 0; i < kEvictionSample && other != shard.buckets.end(); ++i, ++other) {
        if (other->second.level() > victim->second.level()) victim = other;
      }
      shard.buckets.erase(victim);
    }
    return shard.buckets.try_emplace(key, policy, now).first->second;
  }

  void Enqueue(Report report) {
    const std::lock_guard lock(mutex);
    reports.push_back(std::move(report));
    if (is_telling || stopped) return;
    is_telling = true;
    // In a turn of its own: on a thread of the io_context, co_spawn begins at once.
    asio::post(io, [parts = shared_from_this()] {
      asio::co_spawn(parts->io, Tell(parts), [](std::exception_ptr) {});
    });
  }

  // One exchange at a time, each with all that waits.
  static async::Task<void> Tell(std::shared_ptr<Parts> parts) {
    for (std::vector<Report> batch = parts->NextReports(); !batch.empty(); batch = parts->NextReports()) {
      redis::Batch commands;
      for (const Report& report : batch) {
        const BucketPolicy& policy = parts->PolicyOf(report.by);
        commands.Run(kUse, Concat("limit:", report.key),
                     {absl::StrCat(policy.rate), absl::StrCat(policy.burst), absl::StrCat(report.used)});
      }
      RequestContext context;
      context.deadline = absl::Now() + kExchangeMax;
      const absl::StatusOr<redis::Replies> replies =
          co_await parts->redis->Execute(std::move(commands), context);
      for (std::size_t i = 0; i < batch.size(); ++i)
        parts->Hear(batch[i], replies.ok() ? (*replies)[i].text : std::string_view());
    }
  }

  std::vector<Report> NextReports() {
    const std::lock_guard lock(mutex);
    std::vector<Report> next;
    if (reports.size() <= kReportsAtOnce) {
      next.swap(reports);
    } else {
      const auto end = reports.begin() + static_cast<std::ptrdiff_t>(kReportsAtOnce);
      next.assign(std::make_move_iterator(reports.begin()), std::make_move_iterator(end));
      reports.erase(reports.begin(), end);
    }
    if (stopped) next.clear();
    if (next.empty()) is_telling = false;
    return next;
  }

  void Hear(const Report& report, std::string_view text) {
    double level = 0;
    const bool known = absl::SimpleAtod(Absl(text), &level);
    (known ? told : lost).Increment();
    const BucketPolicy& policy = PolicyOf(report.by);
    Shard& shard = ShardOf(report.key);
    const std::lock_guard lock(shard.mutex);
    const auto found = shard.buckets.find(report.key);
    if (found == shard.buckets.end()) return;
    if (known) {
      found->second.Learn(policy, level, Now());
    } else {
      found->second.Forget();
    }
  }

  const std::array<BucketPolicy, kLimits> policies;
  const std::size_t shard_max;
  asio::io_context& io;
  redis::Client* const redis;
  std::array<prometheus::Counter*, kLimits> limited;
  prometheus::Counter& told;
  prometheus::Counter& lost;
  std::array<Shard, kShards> shards;

  std::mutex mutex;
  // Guarded by `mutex`. At most one for each bucket.
  std::vector<Report> reports;
  bool is_telling = false;
  bool stopped = false;
};

void LimitSettings::Bind(config::Binder& b) {
  constexpr config::NumberBounds kRate = {0, 1e7};
  constexpr config::NumberBounds kBurst = {1, 1e8};
  b.Number("limits.tenant_rate", tenant.rate, kRate);
  b.Number("limits.tenant_burst", tenant.burst, kBurst);
  b.Number("limits.token_rate", token.rate, kRate);
  b.Number("limits.token_burst", token.burst, kBurst);
  b.Number("limits.address_rate", address.rate, kRate);
  b.Number("limits.address_burst", address.burst, kBurst);
  b.Integer("limits.keys_max", keys_max, {100, 10'000'000});
}

std::string_view LimitName(LimitBy by) {
  return kNames[static_cast<std::size_t>(by)];
}

Limits::Limits(const LimitSettings& settings, boost::asio::io_context& io, redis::Client* redis)
    : parts_(std::make_shared<Parts>(settings, io, redis)) {
  for (std::size_t i = 0; i < kLimits; ++i) {
    const BucketPolicy& policy = parts_->policies[i];
    if (!policy.is_limit()) continue;
    absl::StrAppend(&policy_header_, policy_header_.empty() ? "" : ", ", "\"", kNames[i],
                    "\";q=", Ceil(policy.burst),
                    ";w=", std::max<std::int64_t>(1, Ceil(policy.burst / policy.rate)));
  }
}

Limits::~Limits() {
  const std::lock_guard lock(parts_->mutex);
  parts_->stopped = true;
}

bool Limits::TakeAddress(std::string_view address, LimitState& state) {
  if (!parts_->PolicyOf(LimitBy::kAddress).is_limit()) return true;
  thread_local std::string key;
  key = "-:address:";
  AppendAddress(address, key);
  return parts_->Take(LimitBy::kAddress, key, state);
}

bool Limits::TakeTenant(const TenantId& tenant, LimitState& state) {
  // An operator has none.
  if (!parts_->PolicyOf(LimitBy::kTenant).is_limit() || tenant.str().empty()) return true;
  thread_local std::string key;
  key = tenant.str();
  key += ":tenant";
  return parts_->Take(LimitBy::kTenant, key, state);
}

bool Limits::TakeToken(const TenantId& tenant, std::string_view user_id, LimitState& state) {
  if (!parts_->PolicyOf(LimitBy::kToken).is_limit()) return true;
  thread_local std::string key;
  key = tenant.str();
  key += ":token:";
  key += user_id;
  return parts_->Take(LimitBy::kToken, key, state);
}

void Limits::AddHeaders(const LimitState& state, http::Response& response) const {
  if (!state.tightest) return;
  const BucketPolicy& policy = parts_->PolicyOf(*state.tightest);
  response.AddHeader("RateLimit-Policy", policy_header_);
  response.AddHeader("RateLimit", absl::StrCat("\"", kNames[static_cast<std::size_t>(*state.tightest)],
                                               "\";r=", static_cast<std::int64_t>(std::max(0.0, state.left)),
                                               ";t=", Ceil((policy.burst - state.left) / policy.rate)));
}

}  // namespace bv::gateway
