// Calls under an Idempotency-Key: done once, answered as often as they come.
#pragma once

#include <absl/status/statusor.h>
#include <google/protobuf/message.h>

#include <functional>
#include <string>

#include "libs/base/request_context.h"
#include "libs/postgres/postgres.h"

namespace bv::webhook {

struct Outcome {
  // The id of what was made, or how many.
  std::string result;
  // It was made by an earlier call.
  bool repeated = false;
};

// Inside a transaction: has `act` do what the request asks for, which returns what came of it, or says what
// came of it when the same request was there in the last 24 hours under the same key of the same user. Waits
// for another transaction with this key. Without a key it is done each time. INVALID_ARGUMENT, reason
// IDEMPOTENCY_KEY_REUSED, when the key stands for another request. Throws what libpqxx throws.
absl::StatusOr<Outcome> OncePerKey(postgres::Session& session, const RequestContext& context,
                                   const google::protobuf::Message& request,
                                   const std::function<absl::StatusOr<std::string>()>& act);

}  // namespace bv::webhook
