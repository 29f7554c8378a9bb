// absl::Status ↔ grpc::Status. Reason, field and retry time travel as google.rpc.Status details (ErrorInfo,
// BadRequest, RetryInfo), which any gRPC client can read (https://google.aip.dev/193).
#pragma once

#include <absl/status/status.h>
#include <grpcpp/support/status.h>

namespace bv::rpc {

// Trailing metadata of an answer that is the one of an earlier call with the same Idempotency-Key: "true".
inline constexpr char kReplayedMetadata[] = "idempotency-replayed";

grpc::Status ToGrpc(const absl::Status& status);
absl::Status FromGrpc(const grpc::Status& status);

}  // namespace bv::rpc
