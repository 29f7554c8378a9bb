// Inside libs/policy: one connection to OPA, for one question after the other.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "libs/async/task.h"
#include "libs/http/client.h"

namespace bv::policy {

struct Exchanged {
  std::string body;
  // Whether the connection may be used again.
  bool stays_open = false;
};

class Connection {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  Connection(boost::asio::io_context& io, const http::Url& url);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Once, before the first question. UNAVAILABLE: nobody listens.
  async::Task<absl::Status> Connect(Deadline deadline);
  // UNAVAILABLE: the connection is closed. DEADLINE_EXCEEDED: no answer came in time. INTERNAL: what came is
  // not HTTP, is too large, or is no decision. After any of them the connection is of no use.
  async::Task<absl::StatusOr<Exchanged>> Exchange(std::string question, Deadline deadline);

 private:
  struct Parts;
  static async::Task<absl::Status> ConnectInStrand(Parts& parts, Deadline deadline);
  static async::Task<absl::StatusOr<Exchanged>> ExchangeInStrand(Parts& parts, std::string question,
                                                                 Deadline deadline);

  const std::unique_ptr<Parts> parts_;
};

}  // namespace bv::policy
