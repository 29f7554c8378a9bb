// A gateway whose caller dies after the request was sent, before its answer was stored: nothing of the call
// runs on.
#pragma once

#include <functional>
#include <memory>
#include <stdexcept>

#include "services/payment-adapter/gateways/gateway.h"

namespace bv::payment {

struct Death : std::runtime_error {
  Death() : std::runtime_error("the process died") {}
};

class DyingGateway final : public Gateway {
 public:
  // `dies` is asked after each request.
  DyingGateway(std::unique_ptr<Gateway> gateway, std::function<bool(const GatewayRequest&)> dies)
      : gateway_(std::move(gateway)), dies_(std::move(dies)) {}

  GatewayName name() const override { return gateway_->name(); }
  async::Task<Result> Send(GatewayRequest request, absl::Time deadline) override {
    Result result = co_await gateway_->Send(request, deadline);
    if (dies_(request)) throw Death();
    co_return result;
  }

 private:
  const std::unique_ptr<Gateway> gateway_;
  const std::function<bool(const GatewayRequest&)> dies_;
};

}  // namespace bv::payment
