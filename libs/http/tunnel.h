// Hands a client's connection on to another server as it is, byte for byte in both directions: for what
// begins as a request and goes on as something that this server need not know, as a WebSocket does.
//
//   co_await tunnels.Open(request, {{"X-Forwarded-For", address}}, response);
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "libs/async/task.h"
#include "libs/config/config.h"
#include "libs/http/message.h"

namespace bv::http {

struct TunnelSettings {
  // Of the servers, host:port. Each tunnel begins with the next of them, and goes on to the others when one
  // does not answer. Set by the owner, not by Bind.
  std::vector<std::string> addresses;
  // More are refused.
  int open_max = 0;
  // For one address to answer.
  absl::Duration connect_timeout;
  // For one end to take what the other has sent, and for a client to close after the server has.
  absl::Duration stall_timeout;

  void Bind(config::Binder& b);  // tunnel.…
};

// An idle tunnel holds two sockets and no buffer. What one end sends while the other does not take it waits
// in some 16 KiB and in the sockets; then no more is read. An end that closes only its sending side may still
// receive. There is no limit of how long a tunnel may be silent: the ends know that; an end that has vanished
// is noticed by TCP's keepalive within two minutes.
class Tunnels {
 public:
  // A header that replaces those of its name; an empty value only removes them.
  using Headers = std::vector<std::pair<std::string, std::string>>;

  explicit Tunnels(TunnelSettings settings);
  // Closes what is open.
  ~Tunnels();
  Tunnels(const Tunnels&) = delete;
  Tunnels& operator=(const Tunnels&) = delete;

  // For a handler of http::Server. Connects, and has `response` take the client's connection over; the
  // request's head with `headers`, and whatever follows it, is the first that the server sees. UNAVAILABLE,
  // reason TUNNELS_EXHAUSTED when too many are open, TUNNEL_UNAVAILABLE when no server answered or the
  // process ends; `response` is as it was then.
  async::Task<absl::Status> Open(const Request& request, Headers headers, Response& response);

  // Opens no more, and returns when all have ended; what is left at the deadline is closed. Blocks, so not
  // for a thread that runs the io_context.
  void Drain(absl::Time deadline);

 private:
  struct Parts;
  const std::shared_ptr<Parts> parts_;
};

}  // namespace bv::http
