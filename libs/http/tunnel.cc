#include "libs/http/tunnel.h"

#include <absl/container/flat_hash_set.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/http/takeover.h"
#include "libs/http/tunnel_head.h"
#include "libs/telemetry/telemetry.h"

namespace bv::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kBufferBytes = 16 * 1024;
// Reads in a row before others get their turn.
constexpr int kReadsInARow = 8;
// For the strands to close what the drain's deadline cut off.
constexpr absl::Duration kAbortTime = absl::Seconds(2);

class Tunnel;

struct TunnelMetrics {
  prometheus::Gauge& open = telemetry::Gauge("http_tunnels", "Tunnels that are open or being opened.");
  prometheus::Counter& opened =
      telemetry::Counter("http_tunnels_opened_total", "Connections that were handed on.");
  prometheus::Counter& exhausted = Failed("exhausted");
  prometheus::Counter& unavailable = Failed("unavailable");

  static prometheus::Counter& Failed(std::string_view reason) {
    return telemetry::Counter("http_tunnels_failed_total", "Tunnels that were not opened, by reason.",
                              {{"reason", std::string(reason)}});
  }
};

// What the tunnels have in common; outlives the last of them.
struct Common {
  TunnelSettings settings;
  TunnelMetrics metrics;
  // With those that are being opened.
  std::atomic<int> places_taken{0};
  std::atomic<std::size_t> next_address{0};
  std::atomic<bool> draining{false};

  std::mutex mutex;
  std::condition_variable none_open;
  // Guarded by `mutex`.
  absl::flat_hash_set<Tunnel*> open;
};

// One of the open_max.
class Place {
 public:
  explicit Place(std::shared_ptr<Common> common) : common_(std::move(common)) {
    is_granted_ = common_->places_taken.fetch_add(1) < common_->settings.open_max;
    common_->metrics.open.Increment();
  }
  ~Place() {
    common_->places_taken.fetch_sub(1);
    common_->metrics.open.Decrement();
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  bool is_granted() const { return is_granted_; }

 private:
  const std::shared_ptr<Common> common_;
  bool is_granted_ = false;
};

// A peer that has vanished is noticed after 60 + 4 · 15 s.
void KeepAlive(tcp::socket& socket) {
  const auto set = [&socket](int level, int option, int value) {
    setsockopt(socket.native_handle(), level, option, &value, sizeof(value));
  };
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 60);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 15);
  set(IPPROTO_TCP, TCP_KEEPCNT, 4);
  error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
}

// Both sockets have one strand, in which everything but the constructor runs.
class Tunnel : public std::enable_shared_from_this<Tunnel> {
 public:
  Tunnel(tcp::socket client, tcp::socket server, std::shared_ptr<const Place> place,
         std::shared_ptr<Common> common)
      : client_(std::move(client)),
        server_(std::move(server)),
        timer_(client_.get_executor()),
        place_(std::move(place)),
        common_(std::move(common)) {
    const std::lock_guard lock(common_->mutex);
    common_->open.insert(this);
    common_->metrics.opened.Increment();
  }
  ~Tunnel() {
    const std::lock_guard lock(common_->mutex);
    common_->open.erase(this);
    if (common_->open.empty()) common_->none_open.notify_all();
  }
  Tunnel(const Tunnel&) = delete;
  Tunnel& operator=(const Tunnel&) = delete;

  // `first` is sent to the server before anything of the client.
  void Begin(std::string first) {
    error_code error;
    client_.non_blocking(true, error);
    if (!error) server_.non_blocking(true, error);
    // A drain may have missed this one.
    if (error || common_->draining) return Close();
    KeepAlive(client_);
    KeepAlive(server_);
    up_.waiting = std::move(first);
    Copy(up_);
    Copy(down_);
  }

  // Any thread.
  void Abort() {
    if (auto self = weak_from_this().lock())
      asio::post(client_.get_executor(), [self = std::move(self)] { self->Close(); });
  }

 private:
  struct Way {
    tcp::socket& from;
    tcp::socket& to;
    // Was read, and `to` does not take it yet.
    std::string waiting = {};
    bool has_ended = false;
    // `to` has to do something until then.
    Clock::time_point late_at = Clock::time_point::max();
  };

  // What there is, until one end has no more or the other takes no more.
  void Copy(Way& way) {
    // Of the thread, not of the tunnel: nothing stays in it.
    thread_local std::array<char, kBufferBytes> buffer;
    if (!SendWaiting(way)) return;
    for (int i = 0; i < kReadsInARow; ++i) {
      error_code error;
      const std::size_t size = way.from.read_some(asio::buffer(buffer), error);
      if (error == asio::error::would_block) break;
      if (error == asio::error::eof) return End(way);
      if (error) return Close();
      const std::size_t sent = way.to.write_some(asio::buffer(buffer.data(), size), error);
      if (error && error != asio::error::would_block) return Close();
      way.waiting.assign(buffer.data() + sent, size - sent);
      if (!SendWaiting(way)) return;
      if (size < buffer.size()) break;
    }
    way.from.async_wait(tcp::socket::wait_read, [this, self = shared_from_this(), &way](error_code error) {
      if (!error) Copy(way);
    });
  }

  // False when not all was taken; it goes on by itself then.
  bool SendWaiting(Way& way) {
    if (way.waiting.empty()) return true;
    error_code error;
    const std::size_t sent = way.to.write_some(asio::buffer(way.waiting), error);
    if (error && error != asio::error::would_block) {
      Close();
      return false;
    }
    if (sent == way.waiting.size()) {
      way.waiting = std::string();
      way.late_at = Clock::time_point::max();
      return true;
    }
    way.waiting.erase(0, sent);
    if (sent > 0 || way.late_at == Clock::time_point::max()) LimitTimeOf(way);
    way.to.async_wait(tcp::socket::wait_write, [this, self = shared_from_this(), &way](error_code failure) {
      if (!failure) Copy(way);
    });
    return false;
  }

  void End(Way& way) {
    way.has_ended = true;
    if (up_.has_ended && down_.has_ended) return Close();
    error_code error;
    way.to.shutdown(tcp::socket::shutdown_send, error);
    if (error) return Close();
    // A client that has closed may go on listening for as long as it likes; one that is told that there will
    // be no more may not go on talking.
    if (&way == &down_) LimitTimeOf(way);
  }

  void LimitTimeOf(Way& way) {
    way.late_at = Clock::now() + absl::ToChronoNanoseconds(common_->settings.stall_timeout);
    if (!timer_runs_) WaitUntilLate();
  }

  void WaitUntilLate() {
    const auto late_at = std::min(up_.late_at, down_.late_at);
    timer_runs_ = late_at != Clock::time_point::max();
    if (!timer_runs_) return;
    timer_.expires_at(late_at);
    timer_.async_wait([this, self = shared_from_this()](error_code error) {
      if (error) return;
      if (Clock::now() >= std::min(up_.late_at, down_.late_at)) return Close();
      WaitUntilLate();
    });
  }

  // Ends the waits, and with the last of them the tunnel.
  void Close() {
    error_code ignored;
    client_.close(ignored);
    server_.close(ignored);
    timer_.cancel();
  }

  tcp::socket client_;
  tcp::socket server_;
  Way up_{.from = client_, .to = server_};
  Way down_{.from = server_, .to = client_};
  asio::steady_timer timer_;
  bool timer_runs_ = false;
  const std::shared_ptr<const Place> place_;
  const std::shared_ptr<Common> common_;
};

async::Task<absl::StatusOr<std::vector<tcp::endpoint>>> Resolve(std::string_view address) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string_view::npos) co_return InvalidValue("address", "must be host:port");
  std::string_view host = address.substr(0, colon);
  if (host.size() > 1 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  const auto executor = co_await asio::this_coro::executor;
  tcp::resolver resolver(executor);
  error_code error;
  const auto found = co_await resolver.async_resolve(host, address.substr(colon + 1),
                                                     asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return Unavailable("ADDRESS_UNKNOWN", Concat(address, ": ", error.message()));
  std::vector<tcp::endpoint> endpoints;
  for (const auto& entry : found) endpoints.push_back(entry.endpoint());
  co_return endpoints;
}

async::Task<absl::StatusOr<tcp::socket>> Connect(tcp::endpoint endpoint, absl::Duration timeout) {
  const auto executor = co_await asio::this_coro::executor;
  // Shared with the timer, which may come to its turn after the connection was made.
  const auto socket = std::make_shared<tcp::socket>(executor);
  asio::steady_timer timer(executor, absl::ToChronoNanoseconds(timeout));
  timer.async_wait([socket](error_code error) {
    error_code ignored;
    if (!error) socket->close(ignored);
  });
  error_code error;
  co_await socket->async_connect(endpoint, asio::redirect_error(asio::use_awaitable, error));
  timer.cancel();
  if (error) co_return Unavailable("NO_CONNECTION", error.message());
  co_return std::move(*socket);
}

async::Task<absl::StatusOr<tcp::socket>> ConnectToAny(Common& common) {
  const std::vector<std::string>& addresses = common.settings.addresses;
  const std::size_t first = common.next_address.fetch_add(1);
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const std::string& address = addresses[(first + i) % addresses.size()];
    absl::Status failure;
    const absl::StatusOr<std::vector<tcp::endpoint>> endpoints = co_await Resolve(address);
    failure.Update(endpoints.status());
    for (std::size_t j = 0; endpoints.ok() && j < endpoints->size(); ++j) {
      absl::StatusOr<tcp::socket> socket = co_await Connect((*endpoints)[j], common.settings.connect_timeout);
      if (socket.ok()) co_return socket;
      failure.Update(socket.status());
    }
    telemetry::LogLimited(telemetry::Level::kWarn, "a tunnel's server does not answer",
                          {{"address", address}, {"error", failure}});
  }
  co_return Unavailable("TUNNEL_UNAVAILABLE", "nobody answers there now");
}

}  // namespace

struct Tunnels::Parts : Common {};

void TunnelSettings::Bind(config::Binder& b) {
  b.Integer("tunnel.open_max", open_max, {1, 1'000'000});
  b.Duration("tunnel.connect_timeout", connect_timeout, {absl::Milliseconds(10), absl::Minutes(1)});
  b.Duration("tunnel.stall_timeout", stall_timeout, {absl::Milliseconds(10), absl::Hours(1)});
}

Tunnels::Tunnels(TunnelSettings settings) : parts_(std::make_shared<Parts>()) {
  parts_->settings = std::move(settings);
}

Tunnels::~Tunnels() {
  Drain(absl::InfinitePast());
}

async::Task<absl::Status> Tunnels::Open(const Request& request, Headers headers, Response& response) {
  const std::shared_ptr<Parts> parts = parts_;
  if (parts->draining) co_return Unavailable("TUNNEL_UNAVAILABLE", "this server is about to end");
  const auto place = std::make_shared<const Place>(parts);
  if (!place->is_granted()) {
    parts->metrics.exhausted.Increment();
    co_return Unavailable("TUNNELS_EXHAUSTED", "too many connections of this kind are open");
  }
  absl::StatusOr<tcp::socket> server = co_await ConnectToAny(*parts);
  if (!server.ok()) {
    parts->metrics.unavailable.Increment();
    co_return server.status();
  }
  // A std::function wants to be copied.
  auto shared = std::make_shared<tcp::socket>(*std::move(server));
  response.take_over = [parts, place, shared, head = TunnelHead(request, headers)](Takeover taken) {
    std::make_shared<Tunnel>(std::move(taken.socket), std::move(*shared), place, parts)
        ->Begin(Concat(head, taken.rest));
  };
  co_return absl::OkStatus();
}

void Tunnels::Drain(absl::Time deadline) {
  parts_->draining = true;
  const auto none_open = [this] { return parts_->open.empty(); };
  std::unique_lock lock(parts_->mutex);
  const auto wait = absl::ToChronoNanoseconds(std::max(deadline - absl::Now(), absl::ZeroDuration()));
  if (parts_->none_open.wait_for(lock, wait, none_open)) return;
  for (Tunnel* const tunnel : parts_->open) tunnel->Abort();
  parts_->none_open.wait_for(lock, absl::ToChronoNanoseconds(kAbortTime), none_open);
}

}  // namespace bv::http
