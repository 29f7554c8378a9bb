// How a receiver knows that a delivery is ours, and that nobody has changed it. Pure.
#pragma once

#include <absl/time/time.h>

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "services/webhook-dispatcher/domain/secret.h"

namespace bv::webhook {

// The headers of an attempt that is made `now`:
//   X-BV-Signature     t=<unix time>,v1=<hex>: HMAC-SHA256 over "<t>.<body>", whose key is the secret's text,
//                      "whsec_" included (the form of Stripe's verifiers);
//   webhook-id         `delivery_id`: the same in every attempt;
//   webhook-timestamp  the same unix time;
//   webhook-signature  v1,<base64>: HMAC-SHA256 over "<id>.<t>.<body>", whose key is the secret's bytes
//                      (Standard Webhooks).
// Each signature is there once for each of `secrets`, in their order: during a rotation a receiver may know
// either. Every attempt is signed anew, since receivers refuse a time that is long ago.
std::vector<std::pair<std::string, std::string>> SignedHeaders(std::string_view delivery_id,
                                                               std::string_view body,
                                                               std::span<const Secret> secrets,
                                                               absl::Time now);

}  // namespace bv::webhook
