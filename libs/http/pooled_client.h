// HTTP/1.1 client that keeps its connections, for requests that may be carried out twice.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <mutex>
#include <vector>

#include "libs/http/client.h"

namespace bv::http {

class ClientConnection;

// A kept connection that the server has closed meanwhile is replaced, and the request sent once more; whether
// it was read before is not known. Thread safe.
class PooledClient {
 public:
  // `executor` outlives it. Answers with a larger body are refused. At most `idle_max` connections are kept
  // without a request; how many there are at once is the caller's to limit.
  PooledClient(boost::asio::any_io_executor executor, Url url, std::size_t body_bytes_max,
               std::size_t idle_max);
  ~PooledClient();

  // As Client::Send, and as that it sends nothing after `deadline`.
  async::Task<absl::StatusOr<Answer>> Send(const ClientRequest& request, absl::Time deadline);

 private:
  std::unique_ptr<ClientConnection> TakeIdle();
  void Keep(std::unique_ptr<ClientConnection> connection);

  const boost::asio::any_io_executor executor_;
  const Url url_;
  const std::size_t body_bytes_max_;
  const std::size_t idle_max_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<ClientConnection>> idle_;
};

}  // namespace bv::http
