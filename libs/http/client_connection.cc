#include "libs/http/client_connection.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <chrono>
#include <utility>

#include "libs/base/error.h"
#include "libs/base/strings.h"

namespace bv::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::uint32_t kHeaderBytesMax = 16 * 1024;

absl::Status NotSent(const Url& url, std::string_view why) {
  return Unavailable(ClientConnection::kNotSent,
                     Concat("no connection to ", url.host, ":", url.port, ": ", why));
}

absl::Status Sent(const error_code& error) {
  if (error == beast::error::timeout)
    return Error(absl::StatusCode::kDeadlineExceeded, "NO_ANSWER", "no answer came in time");
  if (error.category() == make_error_code(beast::http::error::bad_version).category() &&
      error != beast::http::error::end_of_stream && error != beast::http::error::partial_message) {
    return Error(absl::StatusCode::kInternal, "BAD_ANSWER", Concat("the answer: ", error.message()));
  }
  return Unavailable("CONNECTION_LOST", Concat("the connection was lost: ", error.message()));
}

beast::http::request<beast::http::string_body> MessageOf(const ClientRequest& request, const Url& url,
                                                         Persistence persistence) {
  beast::http::request<beast::http::string_body> message(beast::http::string_to_verb(request.method),
                                                         request.target, 11);
  message.set(beast::http::field::host, Concat(url.host, ":", url.port));
  if (persistence == Persistence::kClose) message.set(beast::http::field::connection, "close");
  for (const auto& [name, value] : request.headers) message.set(name, value);
  message.body() = request.body;
  message.prepare_payload();
  return message;
}

std::chrono::steady_clock::time_point Expiry(absl::Time deadline) {
  return std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(deadline - absl::Now());
}

}  // namespace

struct ClientConnection::Parts {
  Parts(const asio::any_io_executor& executor, const Url& to)
      : url(to), stream(asio::make_strand(executor)) {}

  const Url url;
  beast::tcp_stream stream;
  beast::flat_buffer buffer;
};

ClientConnection::ClientConnection(const asio::any_io_executor& executor, const Url& url)
    : parts_(std::make_unique<Parts>(executor, url)) {}

ClientConnection::~ClientConnection() = default;

// Beast's timer and the operation that it ends must not run at once, so both are in the stream's strand.
async::Task<absl::Status> ClientConnection::Connect(absl::Time deadline) {
  auto connect = ConnectInStrand(*parts_, deadline);
  co_return co_await asio::co_spawn(parts_->stream.get_executor(), std::move(connect), asio::use_awaitable);
}

async::Task<absl::StatusOr<Exchanged>> ClientConnection::Exchange(const ClientRequest& request,
                                                                  Persistence persistence,
                                                                  std::size_t body_bytes_max,
                                                                  absl::Time deadline) {
  auto exchange = ExchangeInStrand(*parts_, request, persistence, body_bytes_max, deadline);
  co_return co_await asio::co_spawn(parts_->stream.get_executor(), std::move(exchange), asio::use_awaitable);
}

async::Task<absl::Status> ClientConnection::ConnectInStrand(Parts& parts, absl::Time deadline) {
  if (absl::Now() >= deadline) co_return NotSent(parts.url, "the time was over");
  error_code error;
  parts.stream.expires_at(Expiry(deadline));
  tcp::resolver resolver(parts.stream.get_executor());
  const auto endpoints = co_await resolver.async_resolve(parts.url.host, parts.url.port,
                                                         asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return NotSent(parts.url, error.message());
  co_await parts.stream.async_connect(endpoints, asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return NotSent(parts.url, error.message());
  parts.stream.socket().set_option(tcp::no_delay(true), error);
  co_return absl::OkStatus();
}

async::Task<absl::StatusOr<Exchanged>> ClientConnection::ExchangeInStrand(Parts& parts,
                                                                          const ClientRequest& request,
                                                                          Persistence persistence,
                                                                          std::size_t body_bytes_max,
                                                                          absl::Time deadline) {
  if (absl::Now() >= deadline) co_return NotSent(parts.url, "the time was over");
  error_code error;
  parts.stream.expires_at(Expiry(deadline));
  const auto message = MessageOf(request, parts.url, persistence);
  co_await beast::http::async_write(parts.stream, message, asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return Sent(error);
  beast::http::response_parser<beast::http::string_body> parser;
  parser.header_limit(kHeaderBytesMax);
  parser.body_limit(body_bytes_max);
  co_await beast::http::async_read(parts.stream, parts.buffer, parser,
                                   asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return Sent(error);
  parts.stream.expires_never();
  const bool stays_open = persistence == Persistence::kKeepAlive && parser.keep_alive();
  if (!stays_open) parts.stream.socket().shutdown(tcp::socket::shutdown_both, error);
  Answer answer{.status = static_cast<int>(parser.get().result_int())};
  answer.content_type = std::string(parser.get()[beast::http::field::content_type]);
  answer.body = std::move(parser.get().body());
  co_return Exchanged{.answer = std::move(answer), .stays_open = stays_open};
}

}  // namespace bv::http
