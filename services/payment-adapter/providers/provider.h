// A way to pay.
#pragma once

#include <absl/status/statusor.h>

#include <string>

#include "libs/async/task.h"
#include "libs/base/request_context.h"
#include "services/payment-adapter/domain/payment.h"

namespace bv::payment {

// Every call may be repeated: it goes on where the last one ended, and answers the same once there is an
// outcome. Errors are those that the contract names for ProcessPayment, ConfirmPayment and RefundPayment. Any
// thread.
class PaymentProvider {
 public:
  virtual ~PaymentProvider() = default;

  // `asked` has what the caller chose: id, order, money, method.
  virtual async::Task<absl::StatusOr<Payment>> Process(Payment asked, const RequestContext& context) = 0;
  // The money of `id` has come in, a person says.
  virtual async::Task<absl::StatusOr<Payment>> Confirm(PaymentId id, Money money, std::string reference,
                                                       const RequestContext& context) = 0;
  virtual async::Task<absl::StatusOr<Payment>> Refund(PaymentId id, std::string reason,
                                                      const RequestContext& context) = 0;
};

}  // namespace bv::payment
