// The messages of the REST gateway: flat JSON objects.
#pragma once

#include <string>
#include <string_view>

#include "services/payment-adapter/gateways/gateway.h"

namespace bv::payment {

// {"orderId":"demo:ord_…","amount":"129.50","currency":"USD"}; empty for a look-up, which is a GET.
std::string EncodeRest(const GatewayRequest& request);
// FAULT for an error of the gateway's own form, {"code":"…","message":"…"}; UNKNOWN for what is no answer to
// the request.
Result DecodeRest(const GatewayRequest& request, int status, std::string_view body);

}  // namespace bv::payment
