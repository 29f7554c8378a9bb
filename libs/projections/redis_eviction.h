// Takes from Redis what somebody else has made of the rows of a projection and cannot keep up to date itself.
#pragma once

#include "libs/projections/sink.h"
#include "libs/redis/redis.h"

namespace bv::projections {

// Every change of a row empties the key "<projection>:<tenant>:<first column of the row's key>", and leaves
// it there, empty, for kEmptyFor: whoever fills it does so only where there is no such key (SET … NX), and
// less than that time after it has asked the owner. So an answer from before a change never comes in after
// it. What is not in Redis has nothing to be taken away, and a Redis that is full loses the key instead.
class RedisEviction : public Sink {
 public:
  static constexpr absl::Duration kEmptyFor = absl::Seconds(3);

  // `client` outlives it.
  explicit RedisEviction(redis::Client& client) : client_(client) {}

  // Looks at nothing but the keys of the changes.
  absl::Status Apply(const Projection& projection, const Batch& batch) override;

 private:
  redis::Client& client_;
};

}  // namespace bv::projections
