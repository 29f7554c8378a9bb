#include "libs/base/error.h"
#include "libs/postgres/postgres.h"
#include "libs/telemetry/telemetry.h"

namespace bv::postgres {
namespace {

// Of all pools of the process together.
struct PoolMetrics {
  prometheus::Gauge& size = telemetry::Gauge("postgres_pool_size", "Connections of the pools.");
  prometheus::Gauge& busy = telemetry::Gauge("postgres_pool_busy", "Of these, those that work on a request.");
  prometheus::Gauge& waiting =
      telemetry::Gauge("postgres_pool_waiting", "Requests that wait for a connection.");
  prometheus::Counter& refused = telemetry::Counter(
      "postgres_pool_refused_total", "Requests that found too many others waiting for a connection.");
};

PoolMetrics& Metrics() {
  static PoolMetrics& metrics = *new PoolMetrics;
  return metrics;
}

}  // namespace

Pool::Pool(const ConnectionSettings& connection, const PoolSettings& settings, Plans plans)
    : queue_(static_cast<std::size_t>(settings.queue_max)) {
  Metrics().size.Increment(settings.size);
  threads_.reserve(static_cast<std::size_t>(settings.size));
  for (int i = 0; i < settings.size; ++i) {
    threads_.emplace_back([this, connection, plans] {
      Session session(connection, plans);
      Serve(session);
    });
  }
}

Pool::~Pool() {
  Stop();
}

void Pool::Stop() {
  queue_.Close();
  for (std::thread& thread : threads_) {
    if (!thread.joinable()) continue;
    thread.join();
    Metrics().size.Decrement();
  }
}

void Pool::Enqueue(Job job) {
  // Before it may be taken, so that the number never falls below 0.
  Metrics().waiting.Increment();
  if (queue_.TryPush(std::move(job))) return;
  Metrics().waiting.Decrement();
  Metrics().refused.Increment();
  std::move(job.done)(Overloaded("too many requests wait for the database"));
}

void Pool::Serve(Session& session) {
  while (true) {
    std::vector<Job> jobs = queue_.PopAll(1);
    if (jobs.empty()) return;
    Metrics().waiting.Decrement();
    Metrics().busy.Increment();
    Job& job = jobs.front();
    absl::Status status;
    if (job.context.IsAbandoned()) {
      status = absl::DeadlineExceededError("the deadline passed before the database was free");
    } else if (const std::vector<TenantId> tenants{job.context.tenant}; job.mode == Mode::kRead) {
      status = session.Read(tenants, job.work);
    } else {
      status = session.Transact(tenants, job.work);
    }
    Metrics().busy.Decrement();
    std::move(job.done)(std::move(status));
  }
}

}  // namespace bv::postgres
