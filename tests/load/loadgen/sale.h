// Open loop: calls begin at fixed moments, whatever became of those before, as buyers do who do not know of
// each other.
#pragma once

#include <absl/status/statusor.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/load/loadgen/calls.h"
#include "tests/load/loadgen/outcomes.h"

namespace bv::load {

struct SaleOptions {
  // What all buyers want one piece of.
  std::string sku;
  std::int64_t buyers = 0;
  // In which they all come, evenly.
  std::chrono::milliseconds duration{0};
  int threads = 1;
  // What others buy meanwhile, at random, and how many a second of them come.
  std::vector<std::string> other_skus;
  double others_per_second = 0;
  // The time before the sale, in which only the others buy.
  std::chrono::milliseconds quiet{0};
};

// By the moment at which a call was due, from which its latency counts, too.
struct SaleOutcomes {
  Outcomes buyers;
  Outcomes others_before;
  Outcomes others_during;
  // How long after it was due each buyer's call was begun: what the client itself adds to the latencies.
  Outcomes lateness;
};

// The others come over a connection of their own. UNAVAILABLE when nobody answers at the target.
absl::StatusOr<SaleOutcomes> RunSale(const Target& target, const SaleOptions& options);

}  // namespace bv::load
