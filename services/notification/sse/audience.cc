#include "services/notification/sse/audience.h"

#include <boost/asio/post.hpp>
#include <utility>

#include "services/notification/sse/stream_client.h"

namespace bv::notification {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

template <class Act>
void Audience::ForEach(Clients& clients, Act act) {
  for (const auto& client : clients) {
    if (!client->has_ended()) act(*client);
  }
  std::erase_if(clients, [](const auto& client) { return client->has_ended(); });
}

void Audience::Join(http::Takeover connection, std::string tenant, Place place,
                    std::function<Greeting()> greet) {
  error_code gone;
  const tcp protocol = connection.socket.local_endpoint(gone).protocol();
  // The socket moves from the strand of its own, in which it was a connection of HTTP, into this one.
  const auto handle = connection.socket.release(gone);
  if (gone) return;
  auto socket = std::make_shared<tcp::socket>(strand_, protocol, handle);
  asio::post(strand_, [self = shared_from_this(), socket, tenant = std::move(tenant),
                       place = std::move(place), greet = std::move(greet)]() mutable {
    auto client = std::make_shared<StreamClient>(std::move(*socket), std::move(place),
                                                 self->waiting_bytes_max_, self->metrics_);
    client->Begin(greet());
    self->by_tenant_[tenant].push_back(std::move(client));
  });
}

void Audience::Send(Broadcast broadcast) {
  asio::post(strand_, [self = shared_from_this(), broadcast = std::move(broadcast)] {
    const auto clients = self->by_tenant_.find(broadcast.event->tenant);
    if (clients == self->by_tenant_.end()) return;
    self->ForEach(clients->second, [&](StreamClient& client) { client.Send(broadcast); });
    self->metrics_.delay.Observe(absl::ToDoubleSeconds(absl::Now() - broadcast.event->occurred_at));
  });
}

void Audience::SendToAll(Text text) {
  asio::post(strand_, [self = shared_from_this(), text = std::move(text)] {
    for (auto& [tenant, clients] : self->by_tenant_)
      self->ForEach(clients, [&](StreamClient& client) { client.Send(text); });
    absl::erase_if(self->by_tenant_, [](const auto& entry) { return entry.second.empty(); });
  });
}

void Audience::Dismiss(std::function<Text()> last_word) {
  asio::post(strand_, [self = shared_from_this(), last_word = std::move(last_word)] {
    for (auto& [tenant, clients] : self->by_tenant_)
      self->ForEach(clients, [&](StreamClient& client) { client.Finish(last_word()); });
  });
}

void Audience::Abort() {
  asio::post(strand_, [self = shared_from_this()] {
    for (auto& [tenant, clients] : self->by_tenant_)
      self->ForEach(clients, [](StreamClient& client) { client.Abort(); });
  });
}

}  // namespace bv::notification
