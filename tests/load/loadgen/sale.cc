#include "tests/load/loadgen/sale.h"

#include <absl/random/random.h>

#include <functional>
#include <thread>

#include "libs/base/macros.h"

namespace bv::load {
namespace {

// Calls at even distances, the first at `begin`.
struct Schedule {
  Moment begin;
  std::chrono::duration<double> distance;
  std::int64_t count;

  Moment DueOf(std::int64_t call) const {
    return begin + std::chrono::duration_cast<Clock::duration>(distance * static_cast<double>(call));
  }
};

// Starts each call when it is due, and hands `take` those that have ended, until all have. Returns how late
// they were started.
Outcomes RunSchedule(Calls& calls, const Schedule& schedule,
                     const std::function<const std::string&()>& next_sku,
                     const std::function<void(const EndedCall&)>& take) {
  Outcomes lateness;
  std::int64_t started = 0;
  while (started < schedule.count || calls.in_flight() > 0) {
    for (; started < schedule.count; ++started) {
      const Moment now = Clock::now();
      const Moment due = schedule.DueOf(started);
      if (due > now) break;
      lateness.Add("ALL", now - due);
      calls.Start(next_sku(), due);
    }
    const Moment next_due = started < schedule.count ? schedule.DueOf(started) : Moment::max();
    if (const std::optional<EndedCall> ended = calls.Next(next_due)) take(*ended);
  }
  return lateness;
}

void RunBuyers(Calls& calls, const SaleOptions& options, int thread, Moment sale, SaleOutcomes& outcomes) {
  const std::chrono::duration<double> between = options.duration / static_cast<double>(options.buyers);
  // Threads take buyers in turn.
  const Schedule schedule{
      .begin = sale + std::chrono::duration_cast<Clock::duration>(between * thread),
      .distance = between * options.threads,
      .count = options.buyers / options.threads + (thread < options.buyers % options.threads ? 1 : 0)};
  outcomes.lateness = RunSchedule(
      calls, schedule, [&]() -> const std::string& { return options.sku; },
      [&](const EndedCall& ended) { outcomes.buyers.Add(ended.outcome, ended.at - ended.due); });
}

void RunOthers(Calls& calls, const SaleOptions& options, Moment begin, Moment sale, SaleOutcomes& outcomes) {
  const std::chrono::duration<double> duration = options.quiet + options.duration;
  const Schedule schedule{.begin = begin,
                          .distance = std::chrono::duration<double>(1 / options.others_per_second),
                          .count = static_cast<std::int64_t>(duration.count() * options.others_per_second)};
  absl::InsecureBitGen random;
  RunSchedule(
      calls, schedule,
      [&]() -> const std::string& {
        return options.other_skus[absl::Uniform(random, std::size_t{0}, options.other_skus.size())];
      },
      [&](const EndedCall& ended) {
        Outcomes& phase = ended.due < sale ? outcomes.others_before : outcomes.others_during;
        phase.Add(ended.outcome, ended.at - ended.due);
      });
}

}  // namespace

absl::StatusOr<SaleOutcomes> RunSale(const Target& target, const SaleOptions& options) {
  ASSIGN_OR_RETURN(const std::vector<std::unique_ptr<Calls>> buyers, ConnectThreads(target, options.threads));
  Target single = target;
  single.connections = 1;
  ASSIGN_OR_RETURN(const std::vector<std::unique_ptr<Calls>> others, ConnectThreads(single, 1));

  SaleOutcomes outcomes;
  std::vector<SaleOutcomes> of_threads(buyers.size());
  const Moment begin = Clock::now();
  const Moment sale = begin + options.quiet;
  std::vector<std::jthread> threads;
  threads.emplace_back([&] { RunOthers(*others.front(), options, begin, sale, outcomes); });
  for (std::size_t i = 0; i < buyers.size(); ++i) {
    threads.emplace_back(
        [&, i] { RunBuyers(*buyers[i], options, static_cast<int>(i), sale, of_threads[i]); });
  }
  threads.clear();
  for (const SaleOutcomes& each : of_threads) {
    outcomes.buyers.Add(each.buyers);
    outcomes.lateness.Add(each.lateness);
  }
  return outcomes;
}

}  // namespace bv::load
