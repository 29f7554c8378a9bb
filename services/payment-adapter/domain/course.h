// Which request comes next, within one call. Pure.
#pragma once

#include <optional>
#include <vector>

#include "services/payment-adapter/domain/payment.h"

namespace bv::payment {

struct Step {
  Operation operation = Operation::kCharge;
  // In the order in which they are to be tried: the next one only when the one before takes no calls at the
  // moment.
  std::vector<GatewayName> gateways;
  // Not before this time, by the database's clock; in the past for "at once".
  absl::Time not_before = absl::InfinitePast();
};

// What one call has tried so far.
class Course {
 public:
  // A gateway is asked for money so often, and a look-up may fail so often in a row.
  explicit Course(int attempts_max) : attempts_max_(attempts_max) {}

  // Absent when this call has nothing left to try; not asked for a payment that is not under way.
  std::optional<Step> Next(const Payment& payment) const;
  // After every request.
  void Note(const Attempt& attempt);

 private:
  std::optional<Step> NextOfDoubt(const Payment& payment) const;
  int SentTo(GatewayName gateway) const { return sent_[static_cast<std::size_t>(gateway)]; }

  const int attempts_max_;
  // Charges and refunds, by gateway.
  int sent_[3] = {};
  int lookups_failed_ = 0;
  // The gateway has answered a look-up since the last request for money.
  bool looked_up_ = false;
};

}  // namespace bv::payment
