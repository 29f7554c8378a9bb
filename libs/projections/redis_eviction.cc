#include "libs/projections/redis_eviction.h"

#include <absl/time/clock.h>

#include <set>

#include "libs/base/error.h"
#include "libs/projections/redis_layout.h"

namespace bv::projections {
namespace {

constexpr absl::Duration kTimeout = absl::Seconds(10);

}  // namespace

absl::Status RedisEviction::Apply(const Projection& projection, const Batch& batch) {
  std::set<std::string> keys;
  for (const SourcedChange& sourced : batch.changes)
    keys.insert(RedisKeyOf(projection, sourced.change.tenant, sourced.change.key.front()));
  if (keys.empty()) return absl::OkStatus();
  redis::Batch commands;
  const std::string millis = std::to_string(absl::ToInt64Milliseconds(kEmptyFor));
  for (const std::string& key : keys) commands.Add({"SET", key, "", "PX", millis});
  const absl::Time deadline = absl::Now() + kTimeout;
  const absl::Status emptied = client_.ExecuteBlocking(std::move(commands), deadline).status();
  if (ErrorReason(emptied) != "REDIS_FULL") return emptied;
  redis::Batch removals;
  for (const std::string& key : keys) removals.Add({"DEL", key});
  return client_.ExecuteBlocking(std::move(removals), deadline).status();
}

}  // namespace bv::projections
