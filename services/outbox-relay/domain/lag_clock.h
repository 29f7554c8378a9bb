// How long the oldest part of the log has been waiting to be confirmed, from looks at both of its ends. Pure,
// one thread.
#pragma once

#include <absl/time/time.h>

#include <vector>

#include "services/outbox-relay/domain/pgoutput.h"

namespace bv::relay {

class LagClock {
 public:
  // At `now` the log ends at `end` and is confirmed up to `confirmed`. Returns the age of the oldest position
  // that is not confirmed, as far as looks have seen it: too small by one interval between looks at most.
  absl::Duration Look(absl::Time now, Lsn end, Lsn confirmed);

  // So much is remembered; of a longer wait ever fewer looks, but always the oldest.
  static constexpr std::size_t kMarksMax = 1000;

 private:
  struct Mark {
    absl::Time at;
    Lsn end = 0;
  };
  // By age. What is confirmed is forgotten.
  std::vector<Mark> marks_;
};

}  // namespace bv::relay
