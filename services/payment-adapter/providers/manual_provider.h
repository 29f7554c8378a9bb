// Bank transfer and cash on delivery: a payment waits until a person says that its money has come in, and a
// person gives it back.
#pragma once

#include "libs/postgres/postgres.h"
#include "services/payment-adapter/providers/provider.h"

namespace bv::payment {

class ManualProvider final : public PaymentProvider {
 public:
  explicit ManualProvider(postgres::Pool& pool) : pool_(pool) {}

  async::Task<absl::StatusOr<Payment>> Process(Payment asked, const RequestContext& context) override;
  async::Task<absl::StatusOr<Payment>> Confirm(PaymentId id, Money money, std::string reference,
                                               const RequestContext& context) override;
  async::Task<absl::StatusOr<Payment>> Refund(PaymentId id, std::string reason,
                                              const RequestContext& context) override;

 private:
  postgres::Pool& pool_;
};

}  // namespace bv::payment
