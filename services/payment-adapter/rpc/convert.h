// protobuf ↔ domain, with the names of the API in the errors.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <vector>

#include "commerce/payment/v1/service.pb.h"
#include "services/payment-adapter/domain/payment.h"

namespace bv::payment {

absl::StatusOr<Payment> FromProto(const commerce::payment::v1::ProcessPaymentRequest& request);

struct Confirmation {
  PaymentId id;
  Money money;
  std::string reference;
};
absl::StatusOr<Confirmation> FromProto(const commerce::payment::v1::ConfirmPaymentRequest& request);

// A payment with the requests that it led to.
struct PaymentWithAttempts {
  Payment payment;
  std::vector<Attempt> attempts;
};
commerce::payment::v1::Payment ToProto(const PaymentWithAttempts& payment);

}  // namespace bv::payment
