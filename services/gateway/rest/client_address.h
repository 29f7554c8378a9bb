// Whose request it is, when proxies of ours stand in front.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <string>
#include <vector>

#include "libs/http/message.h"

namespace bv::gateway {

// X-Forwarded-For is believed only as far as it was written by a proxy of this list.
class TrustedProxies {
 public:
  // Addresses, or networks as "10.0.0.0/8" or "fd00::/8". INVALID_ARGUMENT names one that is neither.
  static absl::StatusOr<TrustedProxies> Create(const std::vector<std::string>& networks);

  // The last address, from the connection backwards through X-Forwarded-For, that is not a trusted proxy's.
  // Its text is the request's, or made canonical in `scratch`.
  std::string_view ClientOf(const http::Request& request, std::string& scratch) const;

 private:
  bool Contains(const boost::asio::ip::address& address) const;

  std::vector<boost::asio::ip::network_v4> v4_;
  std::vector<boost::asio::ip::network_v6> v6_;
};

}  // namespace bv::gateway
