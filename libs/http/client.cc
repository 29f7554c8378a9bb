#include "libs/http/client.h"

#include <absl/strings/numbers.h>

#include <boost/asio/this_coro.hpp>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/http/client_connection.h"

namespace bv::http {

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
  ClientConnection connection(co_await boost::asio::this_coro::executor, url_);
  CO_RETURN_IF_ERROR(co_await connection.Connect(deadline));
  CO_ASSIGN_OR_RETURN(Exchanged exchanged,
                      co_await connection.Exchange(request, Persistence::kClose, body_bytes_max_, deadline));
  co_return std::move(exchanged.answer);
}

bool WasNeverSent(const absl::Status& status) {
  return ErrorReason(status) == ClientConnection::kNotSent;
}

}  // namespace bv::http
