// HTTP/1.1 server (RFC 9112) for an edge that faces strangers: every size, number and wait has a limit.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "libs/async/task.h"
#include "libs/config/config.h"
#include "libs/http/message.h"

namespace bv::http {

struct Settings {
  // host:port; port 0 takes a free one.
  std::string address;
  // More are answered 503 and closed.
  int connections_max = 0;
  // Request line and headers; more is 431.
  int header_bytes_max = 0;
  // Of one request; more is 413, as soon as it is known.
  int body_bytes_max = 0;
  // Of all requests at once; a body that does not fit is 503.
  std::int64_t body_bytes_total_max = 0;
  // From the first byte of a request to its last; later is 408.
  absl::Duration read_timeout;
  // Between the requests of a connection.
  absl::Duration idle_timeout;
  // For one answer.
  absl::Duration write_timeout;

  void Bind(config::Binder& b);  // http.…
};

struct Handlers {
  // Answers a request. Called for one request of a connection at a time, and for the next after its answer is
  // written.
  std::function<async::Task<void>(const Request&, Response&)> handle;
  // Fills in the answer to what is no request that can be handled; its status is set already. From any
  // thread.
  std::function<void(const Refusal&, Response&)> refuse;
};

class Server {
 public:
  Server(boost::asio::io_context& io, Settings settings, Handlers handlers);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Binds and serves. UNAVAILABLE names the address when it cannot be taken.
  absl::Status Start();
  // Takes no new connections, answers the running requests with `Connection: close`, and returns when all
  // connections have ended; what is left at the deadline is cut off. Blocks, so not for a thread that runs
  // the io_context. No handler runs afterwards.
  void Drain(absl::Time deadline);
  int port() const;

 private:
  struct Parts;
  std::shared_ptr<Parts> parts_;
};

}  // namespace bv::http
