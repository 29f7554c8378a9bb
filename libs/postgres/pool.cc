#include "libs/base/error.h"
#include "libs/postgres/postgres.h"

namespace bv::postgres {

Pool::Pool(const ConnectionSettings& connection, const PoolSettings& settings, Plans plans)
    : queue_(static_cast<std::size_t>(settings.queue_max)) {
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
    if (thread.joinable()) thread.join();
  }
}

void Pool::Enqueue(Job job) {
  if (!queue_.TryPush(std::move(job)))
    std::move(job.done)(Overloaded("too many requests wait for the database"));
}

void Pool::Serve(Session& session) {
  while (true) {
    std::vector<Job> jobs = queue_.PopAll(1);
    if (jobs.empty()) return;
    Job& job = jobs.front();
    absl::Status status;
    if (job.context.IsAbandoned()) {
      status = absl::DeadlineExceededError("the deadline passed before the database was free");
    } else if (const std::vector<TenantId> tenants{job.context.tenant}; job.mode == Mode::kRead) {
      status = session.Read(tenants, job.work);
    } else {
      status = session.Transact(tenants, job.work);
    }
    std::move(job.done)(std::move(status));
  }
}

}  // namespace bv::postgres
