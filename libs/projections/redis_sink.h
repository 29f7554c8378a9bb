// Rows of projections in Redis, as caches: what is there is true and has a version, what is not there has to
// be asked of its owner. How rows stand in it: redis_layout.h; who reads them: redis_rows.h.
#pragma once

#include <absl/time/time.h>

#include <span>

#include "libs/config/config.h"
#include "libs/projections/sink.h"
#include "libs/redis/redis.h"

namespace bv::projections {

struct RedisSinkSettings {
  // How long what nothing changes is kept. A row whose projection says when it ends is kept until then.
  absl::Duration row_ttl = absl::Hours(24);
  // How long it is known that a row was removed: longer than any older value may be under way.
  absl::Duration removal_ttl = absl::Minutes(10);

  void Bind(config::Binder& b);  // redis.row_ttl, redis.removal_ttl
};

// The version gate is a script in Redis, so that writers need not know of each other. Unlike elsewhere, a Put
// under the version of a removal brings the row back: so a removal says "everything below this version is out
// of date", and a cache is filled with that version. Rows are forgotten, with their versions, after the
// times of the settings. When Redis is full, a row that cannot be put is taken away instead, if there is an
// older one: readers ask its owner then, and the events go on. Versions are below 2^53.
class RedisSink : public Sink {
 public:
  // `client` outlives it.
  RedisSink(redis::Client& client, const RedisSinkSettings& settings);

  // INVALID_ARGUMENT for a projection with sums: Redis keeps no positions.
  absl::Status Apply(const Projection& projection, const Batch& batch) override;

 private:
  absl::Status Run(const Projection& projection, std::span<const Change* const> changes, absl::Time deadline);

  redis::Client& client_;
  const RedisSinkSettings settings_;
  prometheus::Counter& full_;
};

// Appends the script that applies one change which is a Put or a Remove.
void AppendChange(const Projection& projection, const Change& change, const RedisSinkSettings& settings,
                  redis::Batch& commands);

}  // namespace bv::projections
