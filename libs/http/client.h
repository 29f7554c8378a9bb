// HTTP/1.1 client for calls that may move money: it tells a request that was never sent from one that may
// have been carried out. Plain HTTP; TLS is a proxy's work.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libs/async/task.h"

namespace bv::http {

// "http://host:port/path", the port 80 when not given, a host in brackets for IPv6.
struct Url {
  std::string host;
  std::string port;
  // Starts with '/'.
  std::string path;

  // INVALID_ARGUMENT, reason INVALID_VALUE, names `field`.
  static absl::StatusOr<Url> Parse(std::string_view text, std::string_view field);
};

struct ClientRequest {
  // GET or POST.
  std::string method;
  // Percent-encoded; starts with '/'.
  std::string target;
  // Beside Host, Content-Length and Connection.
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

struct Answer {
  int status = 0;
  std::string content_type;
  std::string body;
};

// Each request has a connection of its own: on one that is kept, a request that the server closes upon may or
// may not have been read, and here that question costs more than a connection. Any thread.
class Client {
 public:
  // Answers with a larger body are refused.
  Client(Url url, std::size_t body_bytes_max) : url_(std::move(url)), body_bytes_max_(body_bytes_max) {}

  // Returns the answer, of whatever status, or by `deadline`
  //   UNAVAILABLE, reason NOT_SENT: there was no connection, and not a byte of the request has left;
  //   DEADLINE_EXCEEDED, reason NO_ANSWER; UNAVAILABLE, reason CONNECTION_LOST; INTERNAL, reason BAD_ANSWER,
  //   when what came is too large or no HTTP: the request was sent, and may have been carried out or may
  //   still be.
  // After `deadline` nothing is sent any more. A name server that does not answer may hold up NOT_SENT for
  // longer.
  async::Task<absl::StatusOr<Answer>> Send(const ClientRequest& request, absl::Time deadline);

  const Url& url() const { return url_; }

 private:
  const Url url_;
  const std::size_t body_bytes_max_;
};

// Nothing of the request can have reached the server.
bool WasNeverSent(const absl::Status& status);

}  // namespace bv::http
