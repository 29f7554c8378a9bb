// Drives what has been begun with orders to its end. The call that begins a process drives it at once; what a
// crash, a restart or an outage leaves is taken up by the recoverer.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/container/flat_hash_map.h>
#include <absl/status/statusor.h>
#include <absl/synchronization/mutex.h>
#include <absl/time/time.h>

#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "libs/async/task.h"
#include "libs/auth/service_tokens.h"
#include "libs/postgres/postgres.h"
#include "services/order/processes/drive.h"
#include "services/order/processes/steps.h"
#include "services/order/store/change_batch.h"
#include "services/order/store/process_rows.h"

namespace bv::order {

// Thread safe.
class Processes {
 public:
  // A process belongs to whoever drives it for the time of `lease`; then anybody may take it up.
  Processes(boost::asio::io_context& io, postgres::Pool& pool, ChangeLanes& lanes, Steps& steps,
            auth::ServiceTokens& tokens, absl::Duration lease);
  ~Processes();

  struct Outcome {
    Order order;
    // An earlier call with the same Idempotency-Key has led to it.
    bool repeated = false;
  };
  // Begins a process, or joins the one that is under way for the same, and awaits its end. It goes on
  // whatever becomes of the caller. Errors as BeginProcess; FAILED_PRECONDITION, reason HOLD_EXPIRED, when
  // the stock of an order that was to be paid is not held any more. UNAVAILABLE when the end is not known
  // shortly before the caller's deadline: reason PAYMENT_PENDING for money, PROCESS_PENDING for all else; it
  // comes without another call.
  async::Task<absl::StatusOr<Outcome>> Run(BeginProcess begin, const RequestContext& context);
  // The same without waiting for the end, for consumers and jobs.
  async::Task<absl::StatusOr<Changed>> Begin(BeginProcess begin, const RequestContext& context);
  // Drives a process that was stored just now, or taken, with the lease from now on. `order` when it is
  // known. Nothing when it is driven here already or there is no room; then it is taken up when its lease is
  // over.
  void Launch(TenantProcess owned, std::optional<Order> order);

  // How many more may be launched.
  int room() const;
  absl::Duration lease() const { return lease_; }

  // Launches nothing more and waits until `deadline` for what is under way; then cancels its calls and leaves
  // it to another replica. May be called again. Not from a thread of the io_context, which has to run.
  void Stop(absl::Time deadline);

 private:
  async::Task<void> Go(std::shared_ptr<Drive> drive);
  // Runs the steps and stores their outcome.
  async::Task<absl::StatusOr<Changed>> Advance(const Drive& drive);
  async::Task<void> Postpone(const Drive& drive, absl::Status why);
  async::Task<absl::StatusOr<Order>> AwaitEnd(Process process, const RequestContext& context);
  std::shared_ptr<Drive> Find(const Process& process) const;
  async::Task<absl::StatusOr<std::optional<Order>>> ReadEnd(const Process& process,
                                                            const RequestContext& context);
  RequestContext ContextOf(const TenantProcess& owned, absl::Duration timeout) const;

  boost::asio::io_context& io_;
  postgres::Pool& pool_;
  ChangeLanes& lanes_;
  Steps& steps_;
  auth::ServiceTokens& tokens_;
  const absl::Duration lease_;
  std::stop_source stop_;

  mutable absl::Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  // By the process's id.
  absl::flat_hash_map<std::string, std::shared_ptr<Drive>> drives_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bv::order
