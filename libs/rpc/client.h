// Calls to other services: several connections, round robin over the addresses, the caller's deadline, trace,
// token and tenant passed on, cancellation that reaches the callee, and retries where the contract says that
// a call may be repeated.
#pragma once

#include <absl/status/statusor.h>
#include <google/protobuf/descriptor.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "libs/async/task.h"
#include "libs/base/request_context.h"
#include "libs/config/config.h"
#include "libs/rpc/status.h"
#include "libs/telemetry/telemetry.h"

namespace bv::rpc {

// For all peers of a service. The address of each is a setting of its own, a gRPC target: "127.0.0.1:7011",
// "dns:///inventory:7014", "ipv4:10.0.0.1:7014,10.0.0.2:7014".
struct PeerSettings {
  // HTTP/2 connections to each; one serves some 10,000 calls a second.
  int connections = 2;
  // Used where the caller has no earlier deadline.
  absl::Duration timeout = absl::Seconds(5);

  void Bind(config::Binder& b);  // peer.connections, peer.timeout
};

class Peer {
 public:
  Peer(std::string address, const PeerSettings& settings);

  // A serialised answer.
  struct RawResponse {
    grpc::ByteBuffer message;
    // It is the answer of an earlier call with the same Idempotency-Key.
    bool replayed = false;
  };

  // Calls `method`, which takes and returns serialised messages. Errors are the callee's; UNAVAILABLE, reason
  // PEER_UNAVAILABLE, when it cannot be reached; DEADLINE_EXCEEDED; CANCELLED when context.stop was
  // requested.
  async::Task<absl::StatusOr<RawResponse>> CallRaw(const google::protobuf::MethodDescriptor& method,
                                                   const grpc::ByteBuffer& request,
                                                   const RequestContext& context);

  // Starts one attempt on the connection with this index and calls back when it has ended.
  using Attempt =
      std::function<void(std::size_t connection, grpc::ClientContext&, std::function<void(grpc::Status)>)>;
  // The mechanism below CallRaw and Client::Call. `attempt` is called again for a retry. `replayed`, if
  // given, is set when the callee says so.
  async::Task<absl::Status> Run(const google::protobuf::MethodDescriptor& method,
                                const RequestContext& context, const Attempt& attempt,
                                bool* replayed = nullptr);

  const std::vector<std::shared_ptr<grpc::Channel>>& channels() const { return channels_; }

 private:
  std::vector<std::shared_ptr<grpc::Channel>> channels_;
  std::vector<std::unique_ptr<grpc::GenericStub>> stubs_;
  absl::Duration timeout_;
  std::atomic<unsigned> next_{0};
};

// The method of `service_full_name` that takes `request`; in the contracts a request message belongs to one
// method of its service (checked by tests/proto). The process ends when there is none.
const google::protobuf::MethodDescriptor& FindMethod(std::string_view service_full_name,
                                                     const google::protobuf::Descriptor& request);

// Typed calls of one service:
//   rpc::Client<pb::Inventory> inventory(address, settings);
//   CO_ASSIGN_OR_RETURN(pb::ReserveResponse held, co_await
//   inventory.Call(&rpc::Async<pb::Inventory>::ReserveStock, request, context));
template <class Service>
using Async = typename Service::StubInterface::async_interface;

template <class Service>
class Client {
 public:
  Client(std::string address, const PeerSettings& settings) : peer_(std::move(address), settings) {
    for (const auto& channel : peer_.channels()) stubs_.push_back(Service::NewStub(channel));
  }

  template <class Request, class Response>
  async::Task<absl::StatusOr<Response>> Call(
      void (Async<Service>::*method)(grpc::ClientContext*, const Request*, Response*,
                                     std::function<void(grpc::Status)>),
      const Request& request, const RequestContext& context) {
    static const auto& method_descriptor = FindMethod(Service::service_full_name(), *Request::descriptor());
    Response response;
    const Peer::Attempt attempt = [&](std::size_t connection, grpc::ClientContext& client_context,
                                      std::function<void(grpc::Status)> done) {
      (stubs_[connection]->async()->*method)(&client_context, &request, &response, std::move(done));
    };
    absl::Status status = co_await peer_.Run(method_descriptor, context, attempt);
    if (!status.ok()) co_return status;
    co_return std::move(response);
  }

 private:
  Peer peer_;
  std::vector<std::unique_ptr<typename Service::Stub>> stubs_;
};

}  // namespace bv::rpc
