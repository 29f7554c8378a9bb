// The path /ws/orders: who may connect, and all who are connected.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include "libs/auth/auth.h"
#include "libs/http/message.h"
#include "services/notification/ws/session.h"

namespace bv::notification {

// Thread safe, but for Drain.
class OrdersEndpoint {
 public:
  OrdersEndpoint(const WebSocketSettings& settings, Hub& hub, OrderReader& orders, auth::Verifier& verifier);

  // Has the connection taken over, or says why not: as WebSocket::Check, Admit and
  // ConnectionLimits::Take, by user and by address.
  absl::Status Open(const http::Request& request, http::Response& response);

  // To be called some times a second.
  void Sweep();
  // Sends all away and returns when they have gone; who is left at the deadline is cut off. There are no new
  // ones any more. Blocks.
  void Drain(absl::Time deadline);

 private:
  auth::Verifier& verifier_;
  ConnectionLimits limits_;
  SessionParts parts_;
};

}  // namespace bv::notification
