// Drives the replays that nobody else drives, on threads of its own, one a replay.
#pragma once

#include <stop_token>
#include <thread>
#include <vector>

#include "libs/projections/projection.h"
#include "services/replay/driver/settings.h"

namespace bv::replay {

class Driver {
 public:
  // `projections` are those that it knows; they outlive it.
  Driver(const DriverSettings& settings, const std::vector<projections::Projection>& projections);
  ~Driver() { Stop(); }

  void Start();
  // Returns when no thread runs any more; what is being driven goes on elsewhere, or here the next time.
  void Stop();

 private:
  void Serve(std::stop_token stop);

  const DriverSettings settings_;
  const std::vector<projections::Projection>& projections_;
  std::vector<std::jthread> threads_;
};

}  // namespace bv::replay
