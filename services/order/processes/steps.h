// The calls that processes consist of, to inventory and payment. Each of them is idempotent, so that a
// process may be run again from its start after a crash, and by two at a time.
#pragma once

#include <absl/status/statusor.h>

#include "commerce/inventory/v1/service.grpc.pb.h"
#include "commerce/payment/v1/service.grpc.pb.h"
#include "libs/async/task.h"
#include "libs/rpc/client.h"
#include "services/order/store/change_batch.h"

namespace bv::order {

using InventoryClient = rpc::Client<commerce::inventory::v1::Inventory>;
using PaymentsClient = rpc::Client<commerce::payment::v1::Payments>;

class Steps {
 public:
  Steps(InventoryClient& inventory, PaymentsClient& payments) : inventory_(inventory), payments_(payments) {}

  // Runs the process of `order` to its end, which is for the caller to store. An error: the end is not known
  // yet, and the process has to be run again. `context` is the service's own.
  async::Task<absl::StatusOr<FinishProcess>> Run(Process process, const Order& order,
                                                 const RequestContext& context);

  // Gives a payment back; OK when that is done.
  async::Task<absl::Status> RefundPayment(const PaymentId& payment, std::string_view reason,
                                          const RequestContext& context);

 private:
  using Payment = commerce::payment::v1::Payment;
  using Ended = absl::StatusOr<FinishProcess>;

  async::Task<Ended> Commit(Process process, const Order& order, const RequestContext& context);
  async::Task<Ended> Pay(Process process, const Order& order, const RequestContext& context);
  async::Task<Ended> Confirm(Process process, const Order& order, const RequestContext& context);
  async::Task<Ended> Cancel(Process process, const Order& order, const RequestContext& context);
  async::Task<Ended> Fulfill(Process process, const Order& order, const RequestContext& context);
  // The stock is not held any more: makes sure that no money is kept.
  async::Task<Ended> GiveUp(Process process, const Order& order, const RequestContext& context);

  // False: it is not held any more.
  async::Task<absl::StatusOr<bool>> CommitStock(const Order& order, const RequestContext& context);
  async::Task<absl::StatusOr<bool>> UncommitStock(const Order& order, const RequestContext& context);
  async::Task<absl::Status> ReleaseStock(const Order& order, const RequestContext& context);
  async::Task<absl::Status> ShipStock(const Order& order, const Shipment& shipment,
                                      const RequestContext& context);

  // The payment of the process, or the one that has paid the order before.
  async::Task<absl::StatusOr<Payment>> Charge(const Process& process, const Order& order,
                                              const RequestContext& context);
  async::Task<absl::StatusOr<Payment>> FindSucceeded(const Order& order, const RequestContext& context);
  async::Task<absl::StatusOr<Payment>> ConfirmPayment(const Process& process, const Order& order,
                                                      const Payment& payment, const RequestContext& context);
  InventoryClient& inventory_;
  PaymentsClient& payments_;
};

}  // namespace bv::order
