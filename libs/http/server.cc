#include "libs/http/server.h"

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/http/connection.h"
#include "libs/telemetry/telemetry.h"

namespace bv::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::chrono::milliseconds kSweepInterval{100};
// For a handler to see its cancellation after the drain's deadline.
constexpr absl::Duration kAbortTime = absl::Seconds(2);

absl::StatusOr<tcp::endpoint> Resolve(asio::io_context& io, std::string_view address) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string_view::npos) return InvalidValue("http.address", "http.address must be host:port");
  std::string_view host = address.substr(0, colon);
  if (host.size() > 1 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  error_code error;
  tcp::resolver resolver(io);
  const auto found = resolver.resolve(host, address.substr(colon + 1), tcp::resolver::passive, error);
  if (error || found.empty())
    return Unavailable("ADDRESS_UNKNOWN", Concat("cannot resolve ", address, ": ", error.message()));
  return found.begin()->endpoint();
}

void SweepAll(Shared& shared) {
  const auto now = Clock::now();
  const std::lock_guard lock(shared.mutex);
  for (Connection* connection : shared.open) connection->Sweep(now);
}

async::Task<void> Serve(std::shared_ptr<Connection> connection) {
  co_await connection->Run();
}

// An answer that fits the socket's buffer, without a connection's state.
void TurnAway(tcp::socket& socket, const Shared& shared) {
  Response response;
  response.status = 503;
  shared.handlers.refuse({503, "OVERLOADED", "too many connections"}, response);
  std::string text;
  AppendHead(response, Persistence::kClose, text);
  text += response.body;
  error_code ignored;
  socket.non_blocking(true, ignored);
  socket.write_some(asio::buffer(text), ignored);
  socket.shutdown(tcp::socket::shutdown_send, ignored);
}

}  // namespace

struct Server::Parts : std::enable_shared_from_this<Parts> {
  Parts(asio::io_context& io_context, Settings settings, Handlers handlers)
      : io(io_context),
        strand(asio::make_strand(io_context)),
        acceptor(strand),
        sweep_timer(strand),
        shared(std::make_shared<Shared>()) {
    shared->settings = std::move(settings);
    shared->handlers = std::move(handlers);
  }

  static async::Task<void> Accept(std::shared_ptr<Parts> parts) {
    while (parts->acceptor.is_open()) {
      error_code error;
      const asio::any_io_executor connection_strand = asio::make_strand(parts->io);
      tcp::socket socket = co_await parts->acceptor.async_accept(
          connection_strand, asio::redirect_error(asio::use_awaitable, error));
      if (!error) {
        parts->Welcome(std::move(socket));
      } else if (parts->acceptor.is_open()) {
        // Out of file descriptors, most likely: wait for connections to end.
        telemetry::LogLimited(telemetry::Level::kError, "cannot accept connections",
                              {{"error", error.message()}});
        asio::steady_timer timer(parts->strand, kSweepInterval);
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
      }
    }
  }

  void Welcome(tcp::socket socket) {
    std::size_t open = 0;
    {
      const std::lock_guard lock(shared->mutex);
      open = shared->open.size();
    }
    if (open >= static_cast<std::size_t>(shared->settings.connections_max)) {
      telemetry::LogLimited(telemetry::Level::kWarn, "connection limit reached");
      return TurnAway(socket, *shared);
    }
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    const auto executor = socket.get_executor();
    asio::co_spawn(executor, Serve(std::make_shared<Connection>(std::move(socket), shared)),
                   [](std::exception_ptr thrown) {
                     if (!thrown) return;
                     try {
                       std::rethrow_exception(thrown);
                     } catch (const std::exception& exception) {
                       telemetry::LogLimited(telemetry::Level::kError, "connection failed",
                                             {{"error", exception.what()}});
                     }
                   });
  }

  static async::Task<void> SweepForever(std::shared_ptr<Parts> parts) {
    error_code error;
    while (!error && !parts->stopped) {
      SweepAll(*parts->shared);
      parts->sweep_timer.expires_after(kSweepInterval);
      co_await parts->sweep_timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
    }
  }

  // In `strand`. Closing resets the connections that wait to be accepted, so they are taken first.
  void StopAccepting() {
    error_code error;
    acceptor.non_blocking(true, error);
    while (!error) {
      const asio::any_io_executor connection_strand = asio::make_strand(io);
      tcp::socket socket = acceptor.accept(connection_strand, error);
      if (!error) Welcome(std::move(socket));
    }
    acceptor.close(error);
    const std::lock_guard lock(shared->mutex);
    shared->accepting = false;
    shared->none_open.notify_all();
  }

  // In `strand`.
  void StopSweeping() {
    stopped = true;
    sweep_timer.cancel();
  }

  asio::io_context& io;
  const asio::any_io_executor strand;
  tcp::acceptor acceptor;
  asio::steady_timer sweep_timer;
  const std::shared_ptr<Shared> shared;
  int port = 0;
  bool started = false;
  bool stopped = false;
};

void Settings::Bind(config::Binder& b) {
  b.Text("http.address", address);
  b.Integer("http.connections_max", connections_max, {1, 100'000});
  b.Integer("http.header_bytes_max", header_bytes_max, {1'024, 1 << 20});
  b.Integer("http.body_bytes_max", body_bytes_max, {1'024, 256 << 20});
  b.Integer("http.body_bytes_total_max", body_bytes_total_max, {1'024, std::int64_t{64} << 30});
  b.Duration("http.read_timeout", read_timeout, {absl::Milliseconds(10), absl::Minutes(10)});
  b.Duration("http.idle_timeout", idle_timeout, {absl::Milliseconds(10), absl::Hours(1)});
  b.Duration("http.write_timeout", write_timeout, {absl::Milliseconds(10), absl::Minutes(10)});
}

Server::Server(asio::io_context& io, Settings settings, Handlers handlers)
    : parts_(std::make_shared<Parts>(io, std::move(settings), std::move(handlers))) {}

Server::~Server() {
  if (parts_->started) Drain(absl::InfinitePast());
}

absl::Status Server::Start() {
  const std::string& address = parts_->shared->settings.address;
  ASSIGN_OR_RETURN(const tcp::endpoint endpoint, Resolve(parts_->io, address));
  tcp::acceptor& acceptor = parts_->acceptor;
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(tcp::acceptor::max_listen_connections, error);
  if (error)
    return Unavailable("ADDRESS_NOT_AVAILABLE", Concat("cannot listen on ", address, ": ", error.message()));
  parts_->port = acceptor.local_endpoint().port();
  parts_->started = true;
  parts_->shared->accepting = true;
  asio::co_spawn(parts_->strand, Parts::Accept(parts_), [](std::exception_ptr) {});
  asio::co_spawn(parts_->strand, Parts::SweepForever(parts_), [](std::exception_ptr) {});
  return absl::OkStatus();
}

void Server::Drain(absl::Time deadline) {
  if (!parts_->started) return;
  parts_->started = false;
  Shared& shared = *parts_->shared;
  shared.draining = true;
  asio::post(parts_->strand, [parts = parts_] { parts->StopAccepting(); });
  const auto none_open = [&shared] { return !shared.accepting && shared.open.empty(); };
  std::unique_lock lock(shared.mutex);
  const auto wait = absl::ToChronoNanoseconds(std::max(deadline - absl::Now(), absl::ZeroDuration()));
  if (!shared.none_open.wait_for(lock, wait, none_open)) {
    for (Connection* connection : shared.open) connection->Abort();
    shared.none_open.wait_for(lock, absl::ToChronoNanoseconds(kAbortTime), none_open);
  }
  lock.unlock();
  asio::post(parts_->strand, [parts = parts_] { parts->StopSweeping(); });
}

int Server::port() const {
  return parts_->port;
}

}  // namespace bv::http
