// Inside libs/http: a connection of a client, for one request after the other.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <boost/asio/any_io_executor.hpp>
#include <cstddef>
#include <memory>
#include <string_view>

#include "libs/async/task.h"
#include "libs/http/client.h"
#include "libs/http/message.h"

namespace bv::http {

struct Exchanged {
  Answer answer;
  // Whether the connection may be used again.
  bool stays_open = false;
};

class ClientConnection {
 public:
  // The reason when not a byte of a request has left.
  static constexpr std::string_view kNotSent = "NOT_SENT";

  // `executor` outlives it.
  ClientConnection(const boost::asio::any_io_executor& executor, const Url& url);
  ~ClientConnection();
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;

  // Once, before the first request. UNAVAILABLE, reason NOT_SENT.
  async::Task<absl::Status> Connect(absl::Time deadline);
  // Errors as of Client::Send; after any of them the connection is of no use.
  async::Task<absl::StatusOr<Exchanged>> Exchange(const ClientRequest& request, Persistence persistence,
                                                  std::size_t body_bytes_max, absl::Time deadline);

 private:
  struct Parts;
  static async::Task<absl::Status> ConnectInStrand(Parts& parts, absl::Time deadline);
  static async::Task<absl::StatusOr<Exchanged>> ExchangeInStrand(Parts& parts, const ClientRequest& request,
                                                                 Persistence persistence,
                                                                 std::size_t body_bytes_max,
                                                                 absl::Time deadline);

  const std::unique_ptr<Parts> parts_;
};

}  // namespace bv::http
