#include "services/notification/ws/endpoint.h"

#include "libs/base/clock.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "services/notification/edge/client.h"
#include "services/notification/ws/handshake.h"

namespace bv::notification {
namespace {

// What a connection takes to end once it was cut off.
constexpr absl::Duration kAbortTime = absl::Seconds(5);

}  // namespace

OrdersEndpoint::OrdersEndpoint(const WebSocketSettings& settings, Hub& hub, OrderReader& orders,
                               auth::Verifier& verifier)
    : verifier_(verifier),
      limits_(settings.connections_max),
      parts_{.settings = settings, .hub = hub, .orders = orders} {}

absl::Status OrdersEndpoint::Open(const http::Request& request, http::Response& response) {
  RETURN_IF_ERROR(http::WebSocket::Check(request));
  ASSIGN_OR_RETURN(Caller caller, Admit(request, parts_.settings.origins, verifier_));
  const WebSocketSettings& settings = parts_.settings;
  ASSIGN_OR_RETURN(
      Session::Place place,
      limits_.Take(
          {{.name = Concat("user ", caller.context.tenant.str(), "/", caller.context.user_id),
            .max = settings.connections_per_user_max},
           {.name = Concat("address ", AddressOf(request)), .max = settings.connections_per_address_max}}));
  response.take_over = [this, caller = std::move(caller), place = std::move(place),
                        key = http::WebSocket::KeyOf(request)](http::Takeover connection) {
    // Nobody may speak before the handshake is answered (RFC 6455, 4.1).
    if (!connection.rest.empty()) return;
    Session::Begin(std::move(connection), key, caller, place, parts_);
  };
  return absl::OkStatus();
}

void OrdersEndpoint::Sweep() {
  const absl::Time now = MonotonicNow();
  const std::lock_guard lock(parts_.mutex);
  for (Session* session : parts_.open) session->Sweep(now);
}

void OrdersEndpoint::Drain(absl::Time deadline) {
  {
    const std::lock_guard lock(parts_.mutex);
    for (Session* session : parts_.open) session->Leave(ReconnectWait(parts_.settings.reconnect_jitter));
  }
  if (limits_.AwaitAllFree(deadline)) return;
  {
    const std::lock_guard lock(parts_.mutex);
    for (Session* session : parts_.open) session->Abort();
  }
  limits_.AwaitAllFree(absl::Now() + kAbortTime);
}

}  // namespace bv::notification
