#include "libs/http/client.h"

#include <absl/strings/match.h>
#include <absl/strings/numbers.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include "libs/base/error.h"
#include "libs/base/strings.h"

namespace bv::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::uint32_t kHeaderBytesMax = 16 * 1024;
constexpr std::string_view kNotSent = "NOT_SENT";

absl::Status NotSent(const Url& url, std::string_view why) {
  return Unavailable(kNotSent, Concat("no connection to ", url.host, ":", url.port, ": ", why));
}

absl::Status Sent(const error_code& error) {
  if (error == beast::error::timeout)
    return Error(absl::StatusCode::kDeadlineExceeded, "NO_ANSWER", "no answer came in time");
  if (error.category() == beast::http::make_error_code(beast::http::error::bad_version).category() &&
      error != beast::http::error::end_of_stream && error != beast::http::error::partial_message) {
    return Error(absl::StatusCode::kInternal, "BAD_ANSWER", Concat("the answer: ", error.message()));
  }
  return Unavailable("CONNECTION_LOST", Concat("the connection was lost: ", error.message()));
}

beast::http::request<beast::http::string_body> MessageOf(const ClientRequest& request, const Url& url) {
  beast::http::request<beast::http::string_body> message(beast::http::string_to_verb(request.method),
                                                         request.target, 11);
  message.set(beast::http::field::host, Concat(url.host, ":", url.port));
  message.set(beast::http::field::connection, "close");
  for (const auto& [name, value] : request.headers) message.set(name, value);
  message.body() = request.body;
  message.prepare_payload();
  return message;
}

// In a strand of its own: Beast's timer and the operation that it ends must not run at once.
async::Task<absl::StatusOr<Answer>> Exchange(Url url, ClientRequest request, std::size_t body_bytes_max,
                                             absl::Time deadline) {
  const auto executor = co_await asio::this_coro::executor;
  const auto left = deadline - absl::Now();
  if (left <= absl::ZeroDuration()) co_return NotSent(url, "the time was over");
  const auto expiry = std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(left);
  error_code error;
  beast::tcp_stream stream(executor);
  stream.expires_at(expiry);
  tcp::resolver resolver(executor);
  const auto endpoints =
      co_await resolver.async_resolve(url.host, url.port, asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return NotSent(url, error.message());
  co_await stream.async_connect(endpoints, asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return NotSent(url, error.message());
  if (absl::Now() >= deadline) co_return NotSent(url, "the time was over");
  stream.socket().set_option(tcp::no_delay(true), error);

  const auto message = MessageOf(request, url);
  co_await beast::http::async_write(stream, message, asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return Sent(error);
  beast::flat_buffer buffer;
  beast::http::response_parser<beast::http::string_body> parser;
  parser.header_limit(kHeaderBytesMax);
  parser.body_limit(body_bytes_max);
  co_await beast::http::async_read(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return Sent(error);
  stream.socket().shutdown(tcp::socket::shutdown_both, error);
  Answer answer{.status = static_cast<int>(parser.get().result_int())};
  answer.content_type = std::string(parser.get()[beast::http::field::content_type]);
  answer.body = std::move(parser.get().body());
  co_return answer;
}

}  // namespace

absl::StatusOr<Url> Url::Parse(std::string_view text, std::string_view field) {
  constexpr std::string_view kScheme = "http://";
  const auto refuse = [&] { return InvalidValue(field, Concat(field, " must be http://host:port/path")); };
  if (!text.starts_with(kScheme)) return refuse();
  text.remove_prefix(kScheme.size());
  const std::size_t slash = text.find('/');
  Url url{.port = "80", .path = slash == std::string_view::npos ? "/" : std::string(text.substr(slash))};
  std::string_view authority = text.substr(0, slash);
  if (authority.starts_with('[')) {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos) return refuse();
    url.host = std::string(authority.substr(1, close - 1));
    authority.remove_prefix(close + 1);
  } else {
    const std::size_t colon = authority.find(':');
    url.host = std::string(authority.substr(0, colon));
    authority.remove_prefix(std::min(colon, authority.size()));
  }
  if (!authority.empty()) {
    int port = 0;
    if (authority[0] != ':' || !absl::SimpleAtoi(Absl(authority.substr(1)), &port) || port < 1 ||
        port > 65535)
      return refuse();
    url.port = std::string(authority.substr(1));
  }
  if (url.host.empty() || url.path.find_first_of(" \r\n#") != std::string::npos) return refuse();
  return url;
}

async::Task<absl::StatusOr<Answer>> Client::Send(const ClientRequest& request, absl::Time deadline) {
  const auto executor = co_await asio::this_coro::executor;
  auto exchange = Exchange(url_, request, body_bytes_max_, deadline);
  co_return co_await asio::co_spawn(asio::make_strand(executor), std::move(exchange), asio::use_awaitable);
}

bool WasNeverSent(const absl::Status& status) {
  return ErrorReason(status) == kNotSent;
}

}  // namespace bv::http
