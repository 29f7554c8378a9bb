// The messages of payment-gateway.wsdl.
#pragma once

#include <string>
#include <string_view>

#include "services/payment-adapter/gateways/gateway.h"

namespace bv::payment {

std::string SoapAction(Operation operation);
std::string EncodeSoap(const GatewayRequest& request);
// FAULT for a fault; UNKNOWN for what is no answer to the request.
Result DecodeSoap(const GatewayRequest& request, std::string_view envelope);

}  // namespace bv::payment
