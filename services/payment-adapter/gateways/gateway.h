// A payment gateway, whatever its protocol.
#pragma once

#include <absl/time/time.h>

#include <string>
#include <string_view>

#include "libs/async/task.h"
#include "services/payment-adapter/domain/payment.h"

namespace bv::payment {

struct GatewayRequest {
  Operation operation = Operation::kCharge;
  // What the gateway knows the order by: "<tenant>:<order id>". A gateway charges each of these once.
  std::string order;
  Money money;
};

class Gateway {
 public:
  virtual ~Gateway() = default;
  virtual GatewayName name() const = 0;
  // Whatever goes wrong is an outcome. Nothing is sent after `deadline`. Any thread.
  virtual async::Task<Result> Send(GatewayRequest request, absl::Time deadline) = 0;
};

// What a gateway answered, not yet believed.
struct GatewayReply {
  std::string order;
  // APPROVED, DECLINED, REFUNDED or NOT_FOUND.
  std::string status;
  std::string transaction;
  std::string reason;
  std::string amount;
  std::string currency;
};

// UNKNOWN for a reply that does not belong to the request: another order, another amount, a status that makes
// no sense.
Result Judge(const GatewayRequest& request, const GatewayReply& reply);

// An outcome without a reply.
Result ResultOf(Outcome outcome, std::string_view detail);
// The outcome of a request that got no answer: REFUSED or UNKNOWN.
Result ResultOf(const absl::Status& error);

// "129.50"
std::string DecimalOf(const Money& money);

}  // namespace bv::payment
