// Finds what does not add up between orders, stock and money, and mends it, or says that it cannot.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <optional>
#include <stop_token>

#include "libs/async/task.h"
#include "libs/auth/service_tokens.h"
#include "libs/postgres/postgres.h"
#include "services/order/processes/processes.h"
#include "services/order/processes/steps.h"
#include "services/order/store/change_batch.h"
#include "services/order/store/overdue_rows.h"

namespace bv::order {

// A payment that has succeeded, as payment says.
struct SettledPayment {
  PaymentId payment;
  OrderId order;
  Money amount;
  // The gateway's transaction, or what the back office gave.
  std::string reference;
};

// Thread safe.
class Reconciler {
 public:
  struct Parts {
    postgres::Pool& pool;
    ChangeLanes& lanes;
    Processes& processes;
    Steps& steps;
    InventoryClient& inventory;
    PaymentsClient& payments;
    auth::ServiceTokens& tokens;
  };
  explicit Reconciler(const Parts& parts) : parts_(parts) {}

  // Nothing when the order knows of the payment, or has something under way that will find it. An order that
  // waits for it is finished, or the money given back when its stock is gone; money for an order that is
  // canceled, or that another payment has paid, is given back. OK when that is begun; UNAVAILABLE while
  // something else is under way. `parent` of the event.
  async::Task<absl::Status> Settle(SettledPayment made, const RequestContext& parent);

  // The hold of this order has expired, as inventory says: cancels it when it is PENDING and nothing is under
  // way.
  async::Task<absl::Status> Expire(OrderId order, const RequestContext& parent);

  // One round over the orders that were neither paid nor canceled more than a minute after their hold
  // expired.
  async::Task<absl::Status> CheckOverdue(std::stop_token stop = {});
  // The same for service::Job.
  async::Task<absl::StatusOr<bool>> Round(std::stop_token stop);

 private:
  enum class Verdict { kMended, kNothing, kAgain };
  async::Task<absl::StatusOr<Verdict>> TrySettle(const SettledPayment& made, const RequestContext& context);
  async::Task<absl::StatusOr<Verdict>> BeginPaying(const SettledPayment& made, const Order& order,
                                                   const RequestContext& context);
  async::Task<absl::StatusOr<Verdict>> BeginRefund(const SettledPayment& made, const RequestContext& context);
  async::Task<absl::StatusOr<Verdict>> BeginOf(BeginProcess begin, const char* what,
                                               const RequestContext& context);

  async::Task<absl::Status> Check(const OverdueOrder& overdue);
  async::Task<absl::Status> CheckCommitted(const OverdueOrder& overdue, const RequestContext& context);

  struct Seen {
    Order order;
    std::optional<Process> under_way;
  };
  async::Task<absl::StatusOr<Seen>> Read(const OrderId& order, const RequestContext& context);

  const Parts parts_;
};

}  // namespace bv::order
