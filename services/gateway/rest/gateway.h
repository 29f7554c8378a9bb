// REST in front of the fleet's gRPC services, and the way through to the service that holds clients'
// connections.
#pragma once

#include <functional>

#include "libs/async/task.h"
#include "libs/auth/auth.h"
#include "libs/http/problem.h"
#include "libs/http/server.h"
#include "libs/http/tunnel.h"
#include "services/gateway/routing/route_table.h"

namespace bv::gateway {

class Gateway {
 public:
  // A call that takes longer is answered 504. Connections whose first path begins with /ws/ or /sse/ go
  // through `tunnels`. `routes`, `verifier`, `tunnels` and what `ready` refers to outlive the gateway.
  Gateway(const RouteTable& routes, auth::Verifier& verifier, http::Tunnels& tunnels,
          std::function<bool()> ready, absl::Duration request_timeout)
      : routes_(routes),
        verifier_(verifier),
        tunnels_(tunnels),
        ready_(std::move(ready)),
        request_timeout_(request_timeout) {}

  // For http::Server; both from any thread.
  async::Task<void> Handle(const http::Request& request, http::Response& response) const;
  void Refuse(const http::Refusal& refusal, http::Response& response) const;

 private:
  // Why there is no answer, and at whose word.
  struct Outcome {
    absl::Status status;
    http::RefusedBy refused_by = http::RefusedBy::kHere;
  };
  async::Task<Outcome> Call(const http::Request& request, const Match& match, const RequestContext& context,
                            http::Response& response) const;
  // OK when `response` has the connection taken over.
  async::Task<absl::Status> HandOn(const http::Request& request, const RequestContext& context,
                                   http::Response& response) const;
  bool AnswerHealth(const http::Request& request, http::Response& response) const;

  const RouteTable& routes_;
  auth::Verifier& verifier_;
  http::Tunnels& tunnels_;
  const std::function<bool()> ready_;
  const absl::Duration request_timeout_;
};

}  // namespace bv::gateway
