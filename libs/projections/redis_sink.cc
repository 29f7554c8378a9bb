#include "libs/projections/redis_sink.h"

#include <absl/time/clock.h>

#include <algorithm>
#include <map>
#include <optional>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/projections/redis_layout.h"
#include "libs/telemetry/telemetry.h"

namespace bv::projections {
namespace {

// Scripts in one pipeline: a few milliseconds of Redis' time, of which it has one thread.
constexpr std::size_t kTogetherMax = 200;
constexpr absl::Duration kTimeout = absl::Seconds(10);

// ARGV: field of the version, version, "at" or "for", milliseconds, then fields and values.
// Time is only ever added: the rows of one hash end together, with the last.
const redis::Script& PutScript() {
  static const redis::Script script(R"lua(
    local seen = redis.call('HGET', KEYS[1], ARGV[1])
    if seen then
      if tonumber(seen) > tonumber(ARGV[2]) then return 0 end
      if tonumber(seen) == tonumber(ARGV[2]) and redis.call('HEXISTS', KEYS[1], ARGV[5]) == 1 then return 0 end
    end
    redis.call('HSET', KEYS[1], ARGV[1], ARGV[2], unpack(ARGV, 5))
    if ARGV[3] == 'at' then
      if redis.call('PEXPIRETIME', KEYS[1]) < tonumber(ARGV[4]) then redis.call('PEXPIREAT', KEYS[1], ARGV[4]) end
    elseif redis.call('PTTL', KEYS[1]) < tonumber(ARGV[4]) then
      redis.call('PEXPIRE', KEYS[1], ARGV[4])
    end
    return 1
  )lua");
  return script;
}

// Whether the removal of what is not known is kept.
enum class Unknown { kMark, kLeave };

// ARGV: version, milliseconds, whether the hash is of this row only, whether to mark what is not known, then
// for each facet the field of its version, the number of its columns and their fields. Also when Redis is
// full: what is out of date has to go.
const redis::Script& RemoveScript() {
  static const redis::Script script(R"lua(#!lua flags=allow-oom
    local version, left, removed, kept = tonumber(ARGV[1]), tonumber(ARGV[2]), 0, false
    local i = 5
    while i <= #ARGV do
      local columns = tonumber(ARGV[i + 1])
      local seen = redis.call('HGET', KEYS[1], ARGV[i])
      if seen and tonumber(seen) >= version then
        kept = true
      elseif seen or ARGV[4] == '1' then
        redis.call('HSET', KEYS[1], ARGV[i], ARGV[1])
        redis.call('HDEL', KEYS[1], unpack(ARGV, i + 2, i + 1 + columns))
        removed = 1
      end
      i = i + 2 + columns
    end
    if removed == 1 then
      if (ARGV[3] == '1' and not kept) or redis.call('PTTL', KEYS[1]) < left then
        redis.call('PEXPIRE', KEYS[1], left)
      end
    end
    return removed
  )lua");
  return script;
}

// When the values say that the row ends; absent otherwise.
std::optional<absl::Time> EndOf(const Projection& projection, const Put& put) {
  const std::vector<Column>& columns = projection.shape.facets[put.facet].columns;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].name == projection.shape.ends_at) return std::get<absl::Time>(put.values[i]);
  }
  return std::nullopt;
}

void AppendPut(const Projection& projection, const RedisPlace& place, const Put& put,
               const RedisSinkSettings& settings, redis::Batch& commands) {
  const Facet& facet = projection.shape.facets[put.facet];
  const std::optional<absl::Time> end = EndOf(projection, put);
  std::vector<std::string> arguments = {
      VersionField(place.row, facet), std::to_string(put.version), end ? "at" : "for",
      std::to_string(end ? absl::ToUnixMillis(*end) : absl::ToInt64Milliseconds(settings.row_ttl))};
  for (std::size_t i = 0; i < facet.columns.size(); ++i) {
    arguments.push_back(ColumnField(place.row, facet, facet.columns[i]));
    arguments.push_back(ToText(put.values[i]));
  }
  commands.Run(PutScript(), place.key, std::move(arguments));
}

void AppendRemove(const Projection& projection, const RedisPlace& place, const Remove& remove,
                  const RedisSinkSettings& settings, Unknown unknown, redis::Batch& commands) {
  std::vector<std::string> arguments = {
      std::to_string(remove.version), std::to_string(absl::ToInt64Milliseconds(settings.removal_ttl)),
      projection.shape.key.size() == 1 ? "1" : "0", unknown == Unknown::kMark ? "1" : "0"};
  for (const Facet& facet : projection.shape.facets) {
    arguments.push_back(VersionField(place.row, facet));
    arguments.push_back(std::to_string(facet.columns.size()));
    for (const Column& column : facet.columns) arguments.push_back(ColumnField(place.row, facet, column));
  }
  commands.Run(RemoveScript(), place.key, std::move(arguments));
}

absl::Status CheckShape(const Shape& shape) {
  if (!shape.sums.empty()) return InvalidValue("sums", "cannot be kept in Redis");
  for (const Facet& facet : shape.facets) {
    if (facet.columns.empty()) return InvalidValue(facet.name, "needs a column to be kept in Redis");
  }
  return absl::OkStatus();
}

// The changes that count, in their order: of the puts into one facet of a row only the highest, whatever
// stands between them.
std::vector<const Change*> Highest(const Batch& batch) {
  std::map<std::pair<RowKey, std::size_t>, const Change*> puts;
  const auto facet_of = [](const Change& change, const Put& put) {
    return std::pair(RowKey(change.tenant, change.key), put.facet);
  };
  for (const SourcedChange& sourced : batch.changes) {
    const auto* put = std::get_if<Put>(&sourced.change.what);
    if (!put) continue;
    const Change*& highest = puts[facet_of(sourced.change, *put)];
    if (!highest || put->version > std::get<Put>(highest->what).version) highest = &sourced.change;
  }
  std::vector<const Change*> changes;
  for (const SourcedChange& sourced : batch.changes) {
    const auto* put = std::get_if<Put>(&sourced.change.what);
    if (!put || puts[facet_of(sourced.change, *put)] == &sourced.change) changes.push_back(&sourced.change);
  }
  return changes;
}

}  // namespace

void RedisSinkSettings::Bind(config::Binder& b) {
  b.Duration("redis.row_ttl", row_ttl, {absl::Seconds(1), absl::Hours(24 * 365)});
  b.Duration("redis.removal_ttl", removal_ttl, {absl::Minutes(1), absl::Hours(24)});
}

void AppendChange(const Projection& projection, const Change& change, const RedisSinkSettings& settings,
                  redis::Batch& commands) {
  const RedisPlace place = PlaceOf(projection, change.tenant, change.key);
  if (const auto* put = std::get_if<Put>(&change.what)) {
    AppendPut(projection, place, *put, settings, commands);
  } else {
    AppendRemove(projection, place, std::get<Remove>(change.what), settings, Unknown::kMark, commands);
  }
}

RedisSink::RedisSink(redis::Client& client, const RedisSinkSettings& settings)
    : client_(client),
      settings_(settings),
      full_(telemetry::Counter(
          "projection_redis_full_total",
          "Batches of changes that Redis had no memory for: their rows were taken away.")) {}

absl::Status RedisSink::Apply(const Projection& projection, const Batch& batch) {
  RETURN_IF_ERROR(CheckShape(projection.shape));
  const absl::Time deadline = absl::Now() + kTimeout;
  const std::vector<const Change*> changes = Highest(batch);
  std::span<const Change* const> left = changes;
  while (!left.empty()) {
    const std::span<const Change* const> together = left.first(std::min(left.size(), kTogetherMax));
    RETURN_IF_ERROR(Run(projection, together, deadline));
    left = left.subspan(together.size());
  }
  return absl::OkStatus();
}

absl::Status RedisSink::Run(const Projection& projection, std::span<const Change* const> changes,
                            absl::Time deadline) {
  redis::Batch commands;
  for (const Change* change : changes) AppendChange(projection, *change, settings_, commands);
  const absl::Status applied = client_.ExecuteBlocking(std::move(commands), deadline).status();
  if (ErrorReason(applied) != "REDIS_FULL") return applied;
  full_.Increment();
  redis::Batch removals;
  for (const Change* change : changes) {
    const auto* put = std::get_if<Put>(&change->what);
    if (!put) continue;
    AppendRemove(projection, PlaceOf(projection, change->tenant, change->key), {.version = put->version},
                 settings_, Unknown::kLeave, removals);
  }
  return client_.ExecuteBlocking(std::move(removals), deadline).status();
}

}  // namespace bv::projections
