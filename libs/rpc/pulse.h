// Inside libs/rpc: keeps gRPC's threads from sleeping.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>
#include <grpcpp/alarm.h>
#include <grpcpp/generic/generic_stub.h>

#include <memory>
#include <optional>

namespace bv::rpc {

// The threads that run all callbacks of a process, servers' and clients', wait a second for something to do
// and then sleep for 100 ms, whatever comes (gRPC 1.51, CallbackAlternativeCQ). The first call after a second
// of silence could wait for that. While there is a Pulse, one of these threads gets something to do more
// often than that, so that one is always awake.
class Pulse {
 public:
  Pulse();
  // Waits for what is under way; not on a thread of gRPC's.
  ~Pulse();
  Pulse(const Pulse&) = delete;
  Pulse& operator=(const Pulse&) = delete;

 private:
  // Beat follows Arm, and Arm Beat, until it ends.
  void Arm();
  void Beat();

  absl::Mutex mutex_;
  bool is_ending_ ABSL_GUARDED_BY(mutex_) = false;
  bool has_ended_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<grpc::Alarm> alarm_;
  std::optional<grpc::ClientContext> context_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
  grpc::GenericStub stub_;
};

}  // namespace bv::rpc
