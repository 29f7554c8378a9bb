// gRPC server with coroutine handlers. One interceptor for all calls: it reads the method's `access` option,
// checks token, role, tenant and Idempotency-Key, takes the trace context, the deadline and the cancellation,
// and turns the answer's status into gRPC's.
#pragma once

#include <absl/status/statusor.h>
#include <google/protobuf/descriptor.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/server_callback_handlers.h>
#include <grpcpp/support/byte_buffer.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <vector>

#include "libs/async/task.h"
#include "libs/auth/auth.h"
#include "libs/base/request_context.h"
#include "libs/config/config.h"
#include "libs/telemetry/telemetry.h"

namespace bv::rpc {

struct ServerSettings {
  std::string address;
  // Larger requests are RESOURCE_EXHAUSTED.
  int message_bytes_max = 0;
  // Calls being handled at once; more are RESOURCE_EXHAUSTED with a retry time.
  int calls_max = 0;
  // For callers that send no deadline.
  absl::Duration default_deadline;
  // Whether the methods whose contract wants an Idempotency-Key refuse calls without one.
  bool idempotency_key_required = true;

  void Bind(config::Binder& b);  // grpc.address, grpc.message_bytes_max, grpc.calls_max, …
};

template <class Request>
class Call {
 public:
  Call(const Request& request, const RequestContext& context, bool* replayed = nullptr)
      : request_(&request), context_(&context), replayed_(replayed) {}
  // Both live until the handler has returned.
  const Request& request() const { return *request_; }
  const RequestContext& context() const { return *context_; }
  // The answer is the one of an earlier call with the same Idempotency-Key; the caller is told so in the
  // trailing metadata kReplayedMetadata.
  void MarkReplayed() const {
    if (replayed_ != nullptr) *replayed_ = true;
  }

 private:
  const Request* request_;
  const RequestContext* context_;
  bool* replayed_;
};

template <class Response>
using Reply = async::Task<absl::StatusOr<Response>>;

// What the interceptor needs of a method, read from the descriptor once.
class MethodInfo;

class Server {
 public:
  // `verifier` may be null for a server without methods that need a token.
  Server(boost::asio::io_context& io, ServerSettings settings, auth::Verifier* verifier);
  ~Server();

  // Serves `method` of the service `service_full_name` by a member function of `handler`, which outlives the
  // server. Types that differ from the contract's end the process at start.
  template <class Handler, class Request, class Response>
  void Handle(std::string_view service_full_name, std::string_view method, Handler& handler,
              Reply<Response> (Handler::*function)(Call<Request>));

  // Lets the service be served without some of its methods, which answer UNIMPLEMENTED: for stand-ins in
  // tests.
  void ServePartly(std::string_view service_full_name);

  // Binds and serves. FAILED_PRECONDITION names a method of a served service that has no handler; UNAVAILABLE
  // the address when it is taken.
  absl::Status Start();
  // The gRPC health service answers SERVING for "" and every service, or NOT_SERVING.
  void SetServing(bool serving);
  // Takes no new calls, lets the running ones end until `deadline`, then cancels them.
  void Shutdown(absl::Time deadline);
  // The bound port, for address "…:0".
  int port() const { return port_; }

 private:
  struct Parts;
  class Registration;
  void Register(std::string_view service_full_name, std::string_view method,
                const google::protobuf::Descriptor& request, const google::protobuf::Descriptor& response,
                std::function<grpc::internal::MethodHandler*(const MethodInfo&)> make_handler);

  boost::asio::io_context& io_;
  std::unique_ptr<Parts> parts_;
  int port_ = 0;
};

// --- Below: what the template above needs.

// Counts, checks and measures one call; the part of the reactor that does not depend on types.
class CallScope {
 public:
  CallScope(const MethodInfo& method, grpc::CallbackServerContext& server_context);
  ~CallScope();
  CallScope(const CallScope&) = delete;
  CallScope& operator=(const CallScope&) = delete;

  // Fills in context() from the metadata, or says why the call is refused.
  absl::Status Admit();
  const RequestContext& context() const { return context_; }
  void Cancel() { stop_.request_stop(); }
  bool* replayed() { return &replayed_; }
  // Ends the call's span, counts its outcome, logs an internal error, and returns what goes to the client.
  grpc::Status Finish(const absl::Status& status);

 private:
  const MethodInfo& method_;
  grpc::CallbackServerContext& server_context_;
  std::stop_source stop_;
  RequestContext context_;
  absl::Time start_;
  std::unique_ptr<telemetry::Span> span_;
  bool admitted_ = false;
  bool replayed_ = false;
};

boost::asio::io_context& IoOf(const MethodInfo& method);

// INVALID_ARGUMENT, reason MALFORMED_REQUEST.
absl::Status ParseRequest(const grpc::ByteBuffer& bytes, google::protobuf::Message& request);
absl::Status SerializeResponse(const google::protobuf::Message& response, grpc::ByteBuffer& bytes);

// Messages come and go as bytes: a caller without the right to call costs no parsing, and one whose bytes
// cannot be read is told so.
template <class Handler, class Request, class Response>
class UnaryReactor final : public grpc::ServerUnaryReactor {
 public:
  using Function = Reply<Response> (Handler::*)(Call<Request>);

  UnaryReactor(const MethodInfo& method, grpc::CallbackServerContext& server_context,
               const grpc::ByteBuffer& request, grpc::ByteBuffer& response, Handler& handler,
               Function function)
      : scope_(method, server_context), response_(response), handler_(handler), function_(function) {
    absl::Status refused = scope_.Admit();
    if (refused.ok()) refused = ParseRequest(request, request_);
    if (!refused.ok()) {
      Finish(scope_.Finish(refused));
      return;
    }
    // It begins here, on the thread that read the request: a turn in the io_context would cost a change of
    // threads.
    boost::asio::co_spawn(async::InlineExecutor(IoOf(method)), Run(), [](std::exception_ptr) {});
  }

  void OnDone() override { delete this; }
  void OnCancel() override { scope_.Cancel(); }

 private:
  // OnDone may be called by the thread that has it at hand, not by one of gRPC's executor.
  bool InternalInlineable() override { return true; }

  // Called through a pointer inside the coroutine, GCC 12 would read `this` of the member function
  // uninitialised.
  Reply<Response> Answer() {
    return (handler_.*function_)(Call<Request>(request_, scope_.context(), scope_.replayed()));
  }

  async::Task<void> Run() {
    absl::Status status;
    try {
      absl::StatusOr<Response> reply = co_await Answer();
      status = reply.status();
      if (reply.ok()) status = SerializeResponse(*reply, response_);
    } catch (const std::exception& error) {
      status = absl::InternalError(error.what());
    }
    Finish(scope_.Finish(status));
  }

  CallScope scope_;
  Request request_;
  grpc::ByteBuffer& response_;
  Handler& handler_;
  Function function_;
};

template <class Handler, class Request, class Response>
void Server::Handle(std::string_view service_full_name, std::string_view method, Handler& handler,
                    Reply<Response> (Handler::*function)(Call<Request>)) {
  Register(service_full_name, method, *Request::descriptor(), *Response::descriptor(),
           [&handler, function](const MethodInfo& info) -> grpc::internal::MethodHandler* {
             return new grpc::internal::CallbackUnaryHandler<grpc::ByteBuffer, grpc::ByteBuffer>(
                 [&info, &handler, function](grpc::CallbackServerContext* context,
                                             const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
                   return new UnaryReactor<Handler, Request, Response>(info, *context, *request, *response,
                                                                       handler, function);
                 });
           });
}

}  // namespace bv::rpc
