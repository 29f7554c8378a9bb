// REST in front of the fleet's gRPC services, and the way through to the service that holds clients'
// connections.
#pragma once

#include <functional>

#include "libs/async/task.h"
#include "libs/auth/auth.h"
#include "libs/http/cors.h"
#include "libs/http/problem.h"
#include "libs/http/server.h"
#include "libs/http/tunnel.h"
#include "services/gateway/limits/limits.h"
#include "services/gateway/rest/caching.h"
#include "services/gateway/rest/client_address.h"
#include "services/gateway/rest/documents.h"
#include "services/gateway/rest/forward.h"
#include "services/gateway/rest/shedding.h"
#include "services/gateway/routing/route_table.h"

namespace bv::gateway {

// What holds for every request, whatever it asks for.
struct Conventions {
  TrustedProxies proxies;
  http::Cors cors;
  CacheControl cache;
  Limits limits;
  Admission admission;
};

class Gateway {
 public:
  // A call that takes longer is answered 504. Connections whose first path begins with /ws/ or /sse/ go
  // through `tunnels`. All references, and what `ready` refers to, outlive the gateway.
  Gateway(const RouteTable& routes, auth::Verifier& verifier, http::Tunnels& tunnels,
          Conventions& conventions, const Documents& documents, Forward& graphql, std::function<bool()> ready,
          absl::Duration request_timeout)
      : routes_(routes),
        verifier_(verifier),
        tunnels_(tunnels),
        conventions_(conventions),
        documents_(documents),
        graphql_(graphql),
        ready_(std::move(ready)),
        request_timeout_(request_timeout) {}

  // For http::Server; both from any thread.
  async::Task<void> Handle(const http::Request& request, http::Response& response) const;
  void Refuse(const http::Refusal& refusal, http::Response& response) const;

 private:
  // Why there is no answer, and at whose word; a problem is what has no absl::StatusCode of its own.
  struct Outcome {
    absl::Status status;
    http::RefusedBy refused_by = http::RefusedBy::kHere;
    std::optional<http::Problem> problem;

    bool ok() const { return status.ok() && !problem; }
  };
  // Whether the caller may have this route called now; fills in the context.
  Outcome Admit(const http::Request& request, const Match& match, LimitState& limits, RequestContext& context,
                http::Response& response) const;
  async::Task<Outcome> Call(const http::Request& request, const Match& match, const RequestContext& context,
                            http::Response& response) const;
  // OK when `response` has the connection taken over.
  async::Task<absl::Status> HandOn(const http::Request& request, std::string_view client,
                                   const RequestContext& context, http::Response& response) const;
  // What every answer has, and the problem of one that is none.
  void Finish(const http::Request& request, const Match& match, const Outcome& outcome,
              const LimitState& limits, const RequestContext& context, http::Response& response) const;
  bool AnswerHealth(const http::Request& request, http::Response& response) const;

  const RouteTable& routes_;
  auth::Verifier& verifier_;
  http::Tunnels& tunnels_;
  Conventions& conventions_;
  const Documents& documents_;
  Forward& graphql_;
  const std::function<bool()> ready_;
  const absl::Duration request_timeout_;
};

}  // namespace bv::gateway
