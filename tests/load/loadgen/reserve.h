// Closed loop: so many calls are always under way, each that ends makes room for the next.
#pragma once

#include <absl/status/statusor.h>

#include <chrono>
#include <string>
#include <vector>

#include "tests/load/loadgen/calls.h"
#include "tests/load/loadgen/outcomes.h"

namespace bv::load {

struct ReserveOptions {
  // Drawn from at random; at least one.
  std::vector<std::string> skus;
  int threads = 1;
  // Of all threads together.
  int in_flight = 1;
  // Load that is not counted yet, and load that is.
  std::chrono::milliseconds warm_up{0};
  std::chrono::milliseconds measured{0};
};

// Of the calls that ended in the measured time. UNAVAILABLE when nobody answers at the target.
absl::StatusOr<Outcomes> RunReserve(const Target& target, const ReserveOptions& options);

}  // namespace bv::load
