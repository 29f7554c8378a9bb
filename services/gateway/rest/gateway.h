// REST in front of the fleet's gRPC services.
#pragma once

#include <functional>

#include "libs/async/task.h"
#include "libs/auth/auth.h"
#include "libs/http/server.h"
#include "services/gateway/rest/problem.h"
#include "services/gateway/routing/route_table.h"

namespace bv::gateway {

class Gateway {
 public:
  // A call that takes longer is answered 504. `routes`, `verifier` and what `ready` refers to outlive the
  // gateway.
  Gateway(const RouteTable& routes, auth::Verifier& verifier, std::function<bool()> ready,
          absl::Duration request_timeout)
      : routes_(routes), verifier_(verifier), ready_(std::move(ready)), request_timeout_(request_timeout) {}

  // For http::Server; both from any thread.
  async::Task<void> Handle(const http::Request& request, http::Response& response) const;
  void Refuse(const http::Refusal& refusal, http::Response& response) const;

 private:
  // Why there is no answer, and at whose word.
  struct Outcome {
    absl::Status status;
    RefusedBy refused_by = RefusedBy::kGateway;
  };
  async::Task<Outcome> Call(const http::Request& request, const Match& match, const RequestContext& context,
                            http::Response& response) const;
  bool AnswerHealth(const http::Request& request, http::Response& response) const;

  const RouteTable& routes_;
  auth::Verifier& verifier_;
  const std::function<bool()> ready_;
  const absl::Duration request_timeout_;
};

}  // namespace bv::gateway
