// The REST gateway, and on the same port what the outside tells and asks the simulator: /control and /ledger,
// each for both gateways.
#pragma once

#include "libs/http/message.h"
#include "services/payment-gateway-simulator/gateway/gateway.h"

namespace bv::simulator {

class RestServer {
 public:
  RestServer(Gateway& soap, Gateway& rest) : soap_(soap), rest_(rest) {}

  async::Task<void> Handle(const http::Request& request, http::Response& response);
  void Refuse(const http::Refusal& refusal, http::Response& response);

 private:
  async::Task<void> Pay(const http::Request& request, http::Response& response);
  void Control(const http::Request& request, http::Response& response);
  void ShowLedger(const http::Request& request, http::Response& response);
  // Null for a name that is none.
  Gateway* Find(std::string_view name);

  Gateway& soap_;
  Gateway& rest_;
};

}  // namespace bv::simulator
