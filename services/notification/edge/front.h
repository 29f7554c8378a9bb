// The paths of the service: from an HTTP request to a connection that stays, or to a problem.
#pragma once

#include <functional>

#include "libs/async/task.h"
#include "libs/http/server.h"
#include "services/notification/sse/endpoint.h"
#include "services/notification/ws/endpoint.h"

namespace bv::notification {

class Front {
 public:
  // All of them outlive it.
  Front(OrdersEndpoint& orders, SalesEndpoint& sales, std::function<bool()> ready)
      : orders_(orders), sales_(sales), ready_(std::move(ready)) {}

  // For http::Server; both from any thread.
  async::Task<void> Handle(const http::Request& request, http::Response& response) const;
  void Refuse(const http::Refusal& refusal, http::Response& response) const;

 private:
  // Fills in the answer, or has the connection taken over.
  absl::Status Answer(const http::Request& request, http::Response& response) const;

  OrdersEndpoint& orders_;
  SalesEndpoint& sales_;
  const std::function<bool()> ready_;
};

}  // namespace bv::notification
