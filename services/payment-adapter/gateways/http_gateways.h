// The two gateways that the shop has, over HTTP.
#pragma once

#include "libs/http/client.h"
#include "services/payment-adapter/gateways/gateway.h"

namespace bv::payment {

// The legacy gateway of payment-gateway.wsdl; the client's path is that of the service.
class SoapGateway final : public Gateway {
 public:
  explicit SoapGateway(http::Client client) : client_(std::move(client)) {}
  GatewayName name() const override { return GatewayName::kSoap; }
  async::Task<Result> Send(GatewayRequest request, absl::Time deadline) override;

 private:
  http::Client client_;
};

// POST /payments, POST /refunds and GET /payments/{orderId} below the client's path.
class RestGateway final : public Gateway {
 public:
  explicit RestGateway(http::Client client) : client_(std::move(client)) {}
  GatewayName name() const override { return GatewayName::kRest; }
  async::Task<Result> Send(GatewayRequest request, absl::Time deadline) override;

 private:
  std::string TargetOf(const GatewayRequest& request) const;

  http::Client client_;
};

}  // namespace bv::payment
