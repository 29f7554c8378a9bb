#include "tests/load/loadgen/reserve.h"

#include <absl/random/random.h>

#include <thread>

#include "libs/base/macros.h"

namespace bv::load {
namespace {

// One thread's share of the calls under way.
Outcomes RunThread(Calls& calls, const ReserveOptions& options, int share, Moment from, Moment to) {
  absl::InsecureBitGen random;
  const auto start_one = [&] {
    calls.Start(options.skus[absl::Uniform(random, std::size_t{0}, options.skus.size())], Clock::now());
  };
  Outcomes outcomes;
  while (calls.in_flight() < share) start_one();
  while (const std::optional<EndedCall> ended = calls.Next(Moment::max())) {
    if (ended->at >= from && ended->at < to) outcomes.Add(ended->outcome, ended->at - ended->due);
    if (ended->at < to) start_one();
  }
  return outcomes;
}

}  // namespace

absl::StatusOr<Outcomes> RunReserve(const Target& target, const ReserveOptions& options) {
  ASSIGN_OR_RETURN(const std::vector<std::unique_ptr<Calls>> calls, ConnectThreads(target, options.threads));
  const Moment from = Clock::now() + options.warm_up;
  const Moment to = from + options.measured;
  std::vector<Outcomes> of_threads(calls.size());
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    // The first ones take what does not divide evenly.
    const int share = options.in_flight / options.threads +
                      (static_cast<int>(i) < options.in_flight % options.threads ? 1 : 0);
    threads.emplace_back([&, i, share] { of_threads[i] = RunThread(*calls[i], options, share, from, to); });
  }
  threads.clear();
  Outcomes all;
  for (const Outcomes& each : of_threads) all.Add(each);
  return all;
}

}  // namespace bv::load
