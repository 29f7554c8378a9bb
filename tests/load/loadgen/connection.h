// Unary gRPC calls over one HTTP/2 connection by nghttp2: a quarter of the processor time that gRPC's own
// client takes, which on one machine is time that the server lacks. The protocol:
// github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
#pragma once

#include <absl/status/statusor.h>
#include <grpcpp/support/status.h>
#include <nghttp2/nghttp2.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "tests/load/loadgen/outcomes.h"

namespace bv::load {

// What all calls have in common.
struct Method {
  // host:port
  std::string address;
  // "/package.Service/Method"
  std::string path;
  // The server ends a call with DEADLINE_EXCEEDED after this.
  std::chrono::milliseconds timeout{};
};

// Used by one thread. A connection that is lost stays lost: its calls end as UNAVAILABLE, and so do later
// ones.
class Connection {
 public:
  // Called from Start, Read and Close, once a call; `due` is what Start was given.
  using Ended = std::function<void(Moment due, const grpc::Status&)>;

  // Waits for the server to accept. UNAVAILABLE when nobody listens. `method` outlives it.
  static absl::StatusOr<std::unique_ptr<Connection>> Open(const Method& method, Ended ended);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // `authorization` outlives the call; `message` is the request, serialized. Sent by the next Flush.
  void Start(const std::string& authorization, const std::string& message, Moment due);
  // Hands the socket what is to be sent, and takes what it has. Neither waits.
  void Flush();
  void Read();
  // -1 when the connection is lost.
  int fd() const { return fd_; }
  // Flush left something: it goes on when the socket takes more.
  bool is_writing() const { return !unsent_.empty(); }

 private:
  struct Stream;
  struct Delete {
    void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
  };
  struct Callbacks;

  Connection(const Method& method, Ended ended);
  void Lose(const std::string& why);

  const Method& method_;
  const Ended ended_;
  const std::string timeout_;
  int fd_ = -1;
  std::unique_ptr<nghttp2_session, Delete> session_;
  std::unordered_map<std::int32_t, std::unique_ptr<Stream>> streams_;
  std::string unsent_;
};

}  // namespace bv::load
