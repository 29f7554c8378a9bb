#include "libs/http/pooled_client.h"

#include <utility>

#include "libs/base/macros.h"
#include "libs/http/client_connection.h"

namespace bv::http {

PooledClient::PooledClient(boost::asio::any_io_executor executor, Url url, std::size_t body_bytes_max,
                           std::size_t idle_max)
    : executor_(std::move(executor)),
      url_(std::move(url)),
      body_bytes_max_(body_bytes_max),
      idle_max_(idle_max) {}

PooledClient::~PooledClient() = default;

async::Task<absl::StatusOr<Answer>> PooledClient::Send(const ClientRequest& request, absl::Time deadline) {
  constexpr Persistence kKept = Persistence::kKeepAlive;
  std::unique_ptr<ClientConnection> connection = TakeIdle();
  if (connection) {
    absl::StatusOr<Exchanged> exchanged =
        co_await connection->Exchange(request, kKept, body_bytes_max_, deadline);
    if (exchanged.ok()) {
      if (exchanged->stays_open) Keep(std::move(connection));
      co_return std::move(exchanged->answer);
    }
    if (!absl::IsUnavailable(exchanged.status())) co_return exchanged.status();
  }
  connection = std::make_unique<ClientConnection>(executor_, url_);
  CO_RETURN_IF_ERROR(co_await connection->Connect(deadline));
  CO_ASSIGN_OR_RETURN(Exchanged exchanged,
                      co_await connection->Exchange(request, kKept, body_bytes_max_, deadline));
  if (exchanged.stays_open) Keep(std::move(connection));
  co_return std::move(exchanged.answer);
}

std::unique_ptr<ClientConnection> PooledClient::TakeIdle() {
  const std::lock_guard lock(mutex_);
  if (idle_.empty()) return nullptr;
  std::unique_ptr<ClientConnection> connection = std::move(idle_.back());
  idle_.pop_back();
  return connection;
}

void PooledClient::Keep(std::unique_ptr<ClientConnection> connection) {
  const std::lock_guard lock(mutex_);
  if (idle_.size() < idle_max_) idle_.push_back(std::move(connection));
}

}  // namespace bv::http
