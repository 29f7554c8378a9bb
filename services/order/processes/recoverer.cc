#include "services/order/processes/recoverer.h"

#include <algorithm>

#include "libs/base/macros.h"
#include "libs/telemetry/telemetry.h"

namespace bv::order {
namespace {

// Taken by one statement.
constexpr int kPage = 100;
constexpr absl::Duration kTakeTimeout = absl::Seconds(10);

}  // namespace

async::Task<absl::StatusOr<bool>> Recoverer::Round(std::stop_token stop) {
  CO_ASSIGN_OR_RETURN(const int taken, co_await Recover(std::move(stop)));
  co_return taken == kPage;
}

async::Task<absl::StatusOr<int>> Recoverer::Recover(std::stop_token stop) {
  using Taken = std::vector<TenantProcess>;
  const int room = std::min(kPage, processes_.room());
  if (room <= 0) co_return 0;
  std::function<absl::StatusOr<Taken>(postgres::Session&)> take =
      [this, room](postgres::Session& session) -> absl::StatusOr<Taken> {
    return TakeDueProcesses(session, room, processes_.lease());
  };
  RequestContext context;
  context.tenant = postgres::EveryTenant();
  context.deadline = absl::Now() + kTakeTimeout;
  context.stop = std::move(stop);
  CO_ASSIGN_OR_RETURN(Taken taken, co_await pool_.Transact<Taken>(context, std::move(take)));
  for (TenantProcess& owned : taken) {
    telemetry::Counter("order_process_recovered_total", "Processes that were taken up again.",
                       {{"kind", std::string(Word(owned.process.kind))}})
        .Increment();
    processes_.Launch(std::move(owned), std::nullopt);
  }
  co_return static_cast<int>(taken.size());
}

}  // namespace bv::order
