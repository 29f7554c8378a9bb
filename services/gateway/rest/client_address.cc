#include "services/gateway/rest/client_address.h"

#include <absl/strings/ascii.h>

#include <algorithm>
#include <ranges>

#include "libs/base/error.h"
#include "libs/base/strings.h"

namespace bv::gateway {
namespace {

namespace ip = boost::asio::ip;
using boost::system::error_code;

}  // namespace

absl::StatusOr<TrustedProxies> TrustedProxies::Create(const std::vector<std::string>& networks) {
  TrustedProxies proxies;
  for (const std::string& text : networks) {
    const bool is_v6 = text.find(':') != std::string::npos;
    const std::string network =
        text.find('/') != std::string::npos ? text : Concat(text, is_v6 ? "/128" : "/32");
    error_code error;
    if (is_v6) {
      proxies.v6_.push_back(ip::make_network_v6(network, error));
    } else {
      proxies.v4_.push_back(ip::make_network_v4(network, error));
    }
    if (error) return InvalidValue("http.trusted_proxies", Concat("has no address or network ", text));
  }
  return proxies;
}

bool TrustedProxies::Contains(const ip::address& address) const {
  if (address.is_v4()) {
    const ip::address_v4 v4 = address.to_v4();
    return std::ranges::any_of(v4_, [v4](const ip::network_v4& network) {
      return network.canonical() == ip::network_v4(v4, network.prefix_length()).canonical();
    });
  }
  const ip::address_v6 v6 = address.to_v6();
  return std::ranges::any_of(v6_, [&v6](const ip::network_v6& network) {
    return network.canonical() == ip::network_v6(v6, network.prefix_length()).canonical();
  });
}

std::string_view TrustedProxies::ClientOf(const http::Request& request, std::string& scratch) const {
  if (v4_.empty() && v6_.empty()) return request.client_address;
  error_code error;
  ip::address client = ip::make_address(request.client_address, error);
  if (error || !Contains(client)) return request.client_address;
  // Each proxy appends the address that it was called from, to the last header of several.
  for (const http::Header& header : std::views::reverse(request.headers)) {
    if (!http::IsSameName(header.name, "X-Forwarded-For")) continue;
    for (std::string_view rest = header.value; !rest.empty();) {
      const std::size_t comma = rest.rfind(',');
      const std::string_view last = comma == std::string_view::npos ? rest : rest.substr(comma + 1);
      rest = comma == std::string_view::npos ? std::string_view() : rest.substr(0, comma);
      const ip::address before = ip::make_address(std::string(absl::StripAsciiWhitespace(Absl(last))), error);
      // Behind what is no address nothing is known.
      if (error) return scratch = client.to_string();
      client = before;
      if (!Contains(client)) return scratch = client.to_string();
    }
  }
  return scratch = client.to_string();
}

}  // namespace bv::gateway
