// The SOAP gateway, as payment-gateway.wsdl describes it.
#pragma once

#include <string>

#include "libs/http/message.h"
#include "services/payment-gateway-simulator/gateway/gateway.h"

namespace bv::simulator {

class SoapServer {
 public:
  // `wsdl` has GATEWAY_LOCATION where the address of the service belongs.
  SoapServer(Gateway& gateway, std::string wsdl) : gateway_(gateway), wsdl_(std::move(wsdl)) {}

  async::Task<void> Handle(const http::Request& request, http::Response& response);
  void Refuse(const http::Refusal& refusal, http::Response& response);

 private:
  void ShowWsdl(const http::Request& request, http::Response& response) const;

  Gateway& gateway_;
  const std::string wsdl_;
};

}  // namespace bv::simulator
