#include "libs/policy/connection.h"

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

#include "libs/base/strings.h"

namespace bv::policy {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;
using Request = beast::http::request<beast::http::string_body>;

// Of a package and a rule: `decision` in `package commerce.authz` (deploy/opa/authz.rego).
constexpr char kDecision[] = "/v1/data/commerce/authz/decision";
constexpr std::uint32_t kHeadBytesMax = 8 * 1024;
constexpr std::uint64_t kBodyBytesMax = 16 * 1024;

absl::Status Failed(const error_code& error) {
  if (error == beast::error::timeout) return absl::DeadlineExceededError("OPA did not answer in time");
  const bool is_bad = error.category() == make_error_code(beast::http::error::bad_version).category();
  if (is_bad && error != beast::http::error::end_of_stream)
    return absl::InternalError(Concat("OPA's answer: ", error.message()));
  return absl::UnavailableError(Concat("OPA's connection: ", error.message()));
}

}  // namespace

struct Connection::Parts {
  Parts(asio::io_context& io, const http::Url& to) : url(to), stream(asio::make_strand(io)) {}

  const http::Url url;
  beast::tcp_stream stream;
  beast::flat_buffer buffer;
};

Connection::Connection(asio::io_context& io, const http::Url& url)
    : parts_(std::make_unique<Parts>(io, url)) {}

Connection::~Connection() = default;

// Beast's timer and the operation that it ends must not run at once, so both are in the stream's strand.
async::Task<absl::Status> Connection::Connect(Deadline deadline) {
  auto connect = ConnectInStrand(*parts_, deadline);
  co_return co_await asio::co_spawn(parts_->stream.get_executor(), std::move(connect), asio::use_awaitable);
}

async::Task<absl::StatusOr<Exchanged>> Connection::Exchange(std::string question, Deadline deadline) {
  auto exchange = ExchangeInStrand(*parts_, std::move(question), deadline);
  co_return co_await asio::co_spawn(parts_->stream.get_executor(), std::move(exchange), asio::use_awaitable);
}

async::Task<absl::Status> Connection::ConnectInStrand(Parts& parts, Deadline deadline) {
  error_code error;
  parts.stream.expires_at(deadline);
  tcp::resolver resolver(parts.stream.get_executor());
  const auto endpoints = co_await resolver.async_resolve(parts.url.host, parts.url.port,
                                                         asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return absl::UnavailableError(Concat("OPA's address: ", error.message()));
  co_await parts.stream.async_connect(endpoints, asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return Failed(error);
  parts.stream.socket().set_option(tcp::no_delay(true), error);
  co_return absl::OkStatus();
}

async::Task<absl::StatusOr<Exchanged>> Connection::ExchangeInStrand(Parts& parts, std::string question,
                                                                    Deadline deadline) {
  error_code error;
  parts.stream.expires_at(deadline);
  Request request(beast::http::verb::post, kDecision, 11);
  request.set(beast::http::field::host, Concat(parts.url.host, ":", parts.url.port));
  request.set(beast::http::field::content_type, "application/json");
  request.body() = std::move(question);
  request.prepare_payload();
  co_await beast::http::async_write(parts.stream, request, asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return Failed(error);
  beast::http::response_parser<beast::http::string_body> parser;
  parser.header_limit(kHeadBytesMax);
  parser.body_limit(kBodyBytesMax);
  co_await beast::http::async_read(parts.stream, parts.buffer, parser,
                                   asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return Failed(error);
  parts.stream.expires_never();
  if (parser.get().result() != beast::http::status::ok)
    co_return absl::InternalError(Concat("OPA answered with status ", parser.get().result_int()));
  co_return Exchanged{.body = std::move(parser.get().body()), .stays_open = parser.get().keep_alive()};
}

}  // namespace bv::policy
