#include "services/replay/driver/driver.h"

#include <malloc.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "libs/base/crash_point.h"
#include "libs/base/id.h"
#include "libs/base/strings.h"
#include "libs/kafka/nice.h"
#include "libs/projections/runner.h"
#include "libs/telemetry/telemetry.h"
#include "services/replay/driver/course.h"

namespace bv::replay {
namespace {

void WaitFor(absl::Duration duration, std::stop_token stop) {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any stopped;
  stopped.wait_for(lock, stop, absl::ToChronoMilliseconds(duration), [] { return false; });
}

// Of another version of the service, which may have more projections.
absl::Status FailUnknown(postgres::Session& session, const Replay& replay, const std::string& driver) {
  return session.Transact({}, [&](postgres::Session& transaction) {
    EndReplay(transaction, replay.id, driver, State::kFailed,
              Concat("this version of the service does not know ", replay.projection), std::nullopt);
    return absl::OkStatus();
  });
}

}  // namespace

Driver::Driver(const DriverSettings& settings, const std::vector<projections::Projection>& projections)
    : settings_(settings), projections_(projections) {}

void Driver::Start() {
  for (int i = 0; i < settings_.parallel_max; ++i)
    threads_.emplace_back([this](std::stop_token stop) { Serve(stop); });
}

void Driver::Stop() {
  for (std::jthread& thread : threads_) thread.request_stop();
  threads_.clear();
}

void Driver::Serve(std::stop_token stop) {
  // Replays give way to what answers requests.
  kafka::BeNice(projections::kNiceness);
  postgres::Session session(settings_.connection, postgres::Plans::kIndexOnly);
  while (!stop.stop_requested()) {
    // A new name each time: what the one before left behind on the way is nobody's.
    const std::string driver = UuidToString(NewUuid());
    std::optional<Replay> replay;
    absl::Status status = session.Transact({}, [&](postgres::Session& transaction) {
      replay = ClaimReplay(transaction, driver, settings_.lease);
      return absl::OkStatus();
    });
    if (!status.ok() || !replay) {
      if (!status.ok())
        telemetry::LogLimited(telemetry::Level::kWarn, "no replay can be claimed", {{"error", status}});
      WaitFor(settings_.poll_interval, stop);
      continue;
    }
    CrashPoint("replay.lease.stored");
    const auto projection =
        std::ranges::find(projections_, replay->projection, &projections::Projection::name);
    if (projection == projections_.end()) {
      status = FailUnknown(session, *replay, driver);
      if (!status.ok())
        telemetry::LogLimited(telemetry::Level::kWarn, "the end of a replay was not stored",
                              {{"error", status}});
      continue;
    }
    {
      Course course(settings_, *projection, *std::move(replay), driver);
      const std::stop_callback stop_course(stop, [&] { course.Stop(); });
      course.Drive();
    }
    // Else its threads' heaps stay with the process, which has nothing to do until the next.
    malloc_trim(0);
  }
}

}  // namespace bv::replay
