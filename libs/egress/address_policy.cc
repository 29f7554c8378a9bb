#include "libs/egress/address_policy.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_split.h>
#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"

namespace bv::egress {
namespace {

constexpr std::size_t kUrlCharsMax = 2000;
constexpr std::size_t kHostCharsMax = 253;
constexpr std::size_t kLabelCharsMax = 63;
// Ends of names that private networks use, with the domains under them.
constexpr std::string_view kPrivateNames[] = {"localhost", "localdomain", "local",
                                              "internal",  "home.arpa",   "onion"};

// Of a network's address, in the byte order of the host.
struct Bits {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
};

struct Network {
  Bits address;
  int prefix_bits;
  std::string_view what;
};

constexpr Network V4(int a, int b, int c, int d, int prefix_bits, std::string_view what) {
  const auto address = static_cast<std::uint64_t>((std::uint64_t{0} + a) << 24 | b << 16 | c << 8 | d);
  return {{0, 0xffff'0000'0000 | address}, 96 + prefix_bits, what};
}

// https://www.iana.org/assignments/iana-ipv4-special-registry; the narrower of two comes first.
constexpr Network kSpecialV4[] = {
    V4(0, 0, 0, 0, 8, "an address of \"this network\" (0.0.0.0/8)"),
    V4(10, 0, 0, 0, 8, "an address of a private network (10.0.0.0/8)"),
    V4(100, 64, 0, 0, 10, "an address behind a carrier's NAT (100.64.0.0/10)"),
    V4(127, 0, 0, 0, 8, "a loopback address (127.0.0.0/8)"),
    V4(168, 63, 129, 16, 32, "the address of a cloud's own services (168.63.129.16)"),
    V4(169, 254, 0, 0, 16, "a link-local address (169.254.0.0/16)"),
    V4(172, 16, 0, 0, 12, "an address of a private network (172.16.0.0/12)"),
    V4(192, 0, 0, 0, 24, "an address for protocols (192.0.0.0/24)"),
    V4(192, 0, 2, 0, 24, "an address for documentation (192.0.2.0/24)"),
    V4(192, 88, 99, 0, 24, "an address of 6to4 relays (192.88.99.0/24)"),
    V4(192, 168, 0, 0, 16, "an address of a private network (192.168.0.0/16)"),
    V4(198, 18, 0, 0, 15, "an address for benchmarks (198.18.0.0/15)"),
    V4(198, 51, 100, 0, 24, "an address for documentation (198.51.100.0/24)"),
    V4(203, 0, 113, 0, 24, "an address for documentation (203.0.113.0/24)"),
    V4(224, 0, 0, 0, 4, "a multicast address (224.0.0.0/4)"),
    V4(240, 0, 0, 0, 4, "a reserved address (240.0.0.0/4)"),
};

// https://www.iana.org/assignments/iana-ipv6-special-registry. Outside of 2000::/3 nothing is public; what is
// listed from there has a name of its own.
constexpr Network kSpecialV6[] = {
    {{0, 0}, 128, "the unspecified address (::)"},
    {{0, 1}, 128, "the loopback address (::1)"},
    {{0, 0}, 96, "an IPv4-compatible address (::/96)"},
    {{0, 0xffff'0000'0000}, 96, "an IPv4-mapped address (::ffff:0:0/96)"},
    {{0, 0xffff'0000'0000'0000}, 96, "an IPv4-translated address (::ffff:0:0:0/96)"},
    {{0x0064'ff9b'0000'0000, 0}, 96, "an address of NAT64 (64:ff9b::/96)"},
    {{0x0064'ff9b'0001'0000, 0}, 48, "an address of a local NAT64 (64:ff9b:1::/48)"},
    {{0xfc00'0000'0000'0000, 0}, 7, "an address of a private network (fc00::/7)"},
    {{0xfe80'0000'0000'0000, 0}, 10, "a link-local address (fe80::/10)"},
    {{0xfec0'0000'0000'0000, 0}, 10, "a site-local address (fec0::/10)"},
    {{0xff00'0000'0000'0000, 0}, 8, "a multicast address (ff00::/8)"},
    {{0x2001'0000'0000'0000, 0}, 32, "an address of Teredo (2001::/32)"},
    {{0x2001'0002'0000'0000, 0}, 48, "an address for benchmarks (2001:2::/48)"},
    {{0x2001'0000'0000'0000, 0}, 23, "an address for protocols (2001::/23)"},
    {{0x2001'0db8'0000'0000, 0}, 32, "an address for documentation (2001:db8::/32)"},
    {{0x2002'0000'0000'0000, 0}, 16, "an address of 6to4 (2002::/16)"},
    {{0x3ffe'0000'0000'0000, 0}, 16, "an address of the 6bone that was (3ffe::/16)"},
    {{0x3fff'0000'0000'0000, 0}, 20, "an address for documentation (3fff::/20)"},
};
constexpr Network kGlobalUnicast = {{0x2000'0000'0000'0000, 0}, 3, ""};

Bits BitsOf(const Address& address) {
  Bits bits;
  for (std::size_t i = 0; i < 8; ++i) {
    bits.high = bits.high << 8 | address.bytes[i];
    bits.low = bits.low << 8 | address.bytes[8 + i];
  }
  return bits;
}

bool IsWithin(const Bits& address, const Bits& network, int prefix_bits) {
  const int high_bits = std::min(prefix_bits, 64);
  const int low_bits = prefix_bits - high_bits;
  const std::uint64_t high_mask = high_bits == 0 ? 0 : ~std::uint64_t{0} << (64 - high_bits);
  const std::uint64_t low_mask = low_bits == 0 ? 0 : ~std::uint64_t{0} << (64 - low_bits);
  return ((address.high ^ network.high) & high_mask) == 0 && ((address.low ^ network.low) & low_mask) == 0;
}

struct Endpoint {
  Address address;
  int port = 0;
};

Address AddressOf(const in_addr& from) {
  Address address{.is_v4 = true};
  address.bytes[10] = address.bytes[11] = 0xff;
  std::memcpy(&address.bytes[12], &from, sizeof(from));
  return address;
}

// Absent for another family than IPv4 and IPv6. What is pointed to may be longer than a sockaddr, as its
// family says, and is read as bytes, since only its caller knows its type.
std::optional<Endpoint> EndpointOf(const sockaddr& address) {
  Endpoint endpoint;
  if (address.sa_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &address, sizeof(v4));
    endpoint.address = AddressOf(v4.sin_addr);
    endpoint.port = ntohs(v4.sin_port);
    return endpoint;
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 v6;
    std::memcpy(&v6, static_cast<const void*>(&address), sizeof(v6));
    std::memcpy(endpoint.address.bytes.data(), &v6.sin6_addr, endpoint.address.bytes.size());
    endpoint.port = ntohs(v6.sin6_port);
    return endpoint;
  }
  return std::nullopt;
}

// Absent for what is no address in its usual form.
std::optional<Address> ParseLiteral(std::string_view text) {
  const std::string terminated(text);
  in_addr v4;
  if (inet_pton(AF_INET, terminated.c_str(), &v4) == 1) return AddressOf(v4);
  Address address;
  if (inet_pton(AF_INET6, terminated.c_str(), address.bytes.data()) == 1) return address;
  return std::nullopt;
}

std::optional<std::string> WhySpecial(const Address& address) {
  const Bits bits = BitsOf(address);
  const auto why = [&bits](const auto& networks) -> std::optional<std::string> {
    for (const Network& network : networks) {
      if (IsWithin(bits, network.address, network.prefix_bits)) return std::string(network.what);
    }
    return std::nullopt;
  };
  if (address.is_v4) return why(kSpecialV4);
  if (std::optional<std::string> special = why(kSpecialV6)) return special;
  if (!IsWithin(bits, kGlobalUnicast.address, kGlobalUnicast.prefix_bits)) return "a reserved address";
  return std::nullopt;
}

bool ParsePort(std::string_view text, int& port) {
  return !text.empty() && text.size() <= 5 && text[0] != '0' &&
         std::all_of(text.begin(), text.end(), absl::ascii_isdigit) && absl::SimpleAtoi(Absl(text), &port) &&
         port <= 65535;
}

bool IsLabel(std::string_view label) {
  return !label.empty() && label.size() <= kLabelCharsMax && label.front() != '-' && label.back() != '-' &&
         std::all_of(label.begin(), label.end(), [](char c) { return absl::ascii_isalnum(c) || c == '-'; });
}

// As browsers see it (https://url.spec.whatwg.org/#ends-in-a-number-checker): such a host is an IPv4 address
// for whoever reads its parts as decimal, octal or hexadecimal numbers, and one to four of them.
bool EndsInNumber(std::string_view host) {
  std::string_view last = host.substr(host.rfind('.') + 1);
  if (!last.empty() && std::all_of(last.begin(), last.end(), absl::ascii_isdigit)) return true;
  return last.starts_with("0x") && std::all_of(last.begin() + 2, last.end(), absl::ascii_isxdigit);
}

// What is wrong with a name; "" when nothing is.
std::string_view WhyNoName(std::string_view host) {
  if (host.ends_with('.')) return "the host must not end with a dot";
  if (host.size() > kHostCharsMax) return "the host must have at most 253 characters";
  const std::vector<std::string> labels = absl::StrSplit(Absl(host), '.');
  if (!std::all_of(labels.begin(), labels.end(), IsLabel))
    return "the host must be a name of letters, digits, hyphens and dots, or an address";
  for (const std::string_view name : kPrivateNames) {
    if (host.ends_with(name) && (host.size() == name.size() || host[host.size() - name.size() - 1] == '.'))
      return "the host is a name of private networks";
  }
  if (labels.size() < 2) return "the host must have a domain";
  return "";
}

// What is wrong with the characters; "" when nothing is. Parsers disagree about what these mean.
std::string_view WhyNoUrl(std::string_view url) {
  if (url.size() > kUrlCharsMax) return "must have at most 2,000 characters";
  for (const char c : url) {
    if (c <= ' ' || c > '~')
      return "must be ASCII without blanks: a host of another script as xn--…, all else percent-encoded";
    if (c == '\\') return "must not have a backslash";
    if (c == '#') return "must not have a fragment";
  }
  return "";
}

}  // namespace

std::optional<std::string> WhyNotPublic(const sockaddr& address) {
  const std::optional<Endpoint> endpoint = EndpointOf(address);
  return endpoint ? WhySpecial(endpoint->address) : "an address of a family that is not the internet's";
}

absl::StatusOr<AddressPolicy> AddressPolicy::Create(const AddressPolicySettings& settings) {
  if (settings.production && !settings.allow_private.empty()) {
    return InvalidValue("egress.allow_private",
                        "must be empty in production: whoever may set a URL could reach into the network");
  }
  AddressPolicy policy;
  for (const std::string& text : settings.ports) {
    int port = 0;
    if (!ParsePort(text, port)) return InvalidValue("egress.ports", "must be numbers between 1 and 65535");
    policy.ports_.push_back(port);
  }
  if (policy.ports_.empty()) return InvalidValue("egress.ports", "must name at least one port");
  for (const std::string& entry : settings.allow_private) RETURN_IF_ERROR(policy.Allow(entry));
  return policy;
}

absl::Status AddressPolicy::Allow(std::string_view entry) {
  const absl::Status wrong =
      InvalidValue("egress.allow_private", Concat("must be addresses with a port, \"127.0.0.1:8080\" or "
                                                  "\"[::1]:8080\", or networks, \"127.0.0.0/8\": ",
                                                  entry));
  Allowed allowed;
  std::string_view host = entry;
  int prefix_bits = -1;
  if (const std::size_t slash = entry.rfind('/'); slash != std::string_view::npos) {
    host = entry.substr(0, slash);
    if (!absl::SimpleAtoi(Absl(entry.substr(slash + 1)), &prefix_bits) || prefix_bits < 0) return wrong;
  } else {
    const std::size_t colon = entry.rfind(':');
    if (colon == std::string_view::npos || !ParsePort(entry.substr(colon + 1), allowed.port)) return wrong;
    host = entry.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  }
  const std::optional<Address> network = ParseLiteral(host);
  if (!network || prefix_bits > (network->is_v4 ? 32 : 128)) return wrong;
  allowed.network = *network;
  allowed.prefix_bits = prefix_bits < 0 ? 128 : prefix_bits + (network->is_v4 ? 96 : 0);
  allowed_.push_back(allowed);
  return absl::OkStatus();
}

bool AddressPolicy::IsAllowed(const Address& address, int port) const {
  return std::any_of(allowed_.begin(), allowed_.end(), [&](const Allowed& allowed) {
    return (allowed.port == 0 || allowed.port == port) && allowed.network.is_v4 == address.is_v4 &&
           IsWithin(BitsOf(address), BitsOf(allowed.network), allowed.prefix_bits);
  });
}

bool AddressPolicy::IsAllowedHost(std::string_view host, int port) const {
  if (host == "localhost") return IsAllowedHost("127.0.0.1", port) || IsAllowedHost("::1", port);
  const std::optional<Address> literal = ParseLiteral(host);
  return literal && IsAllowed(*literal, port);
}

std::optional<std::string> AddressPolicy::WhyRefused(const sockaddr& address) const {
  const std::optional<Endpoint> endpoint = EndpointOf(address);
  if (endpoint && IsAllowed(endpoint->address, endpoint->port)) return std::nullopt;
  return WhyNotPublic(address);
}

absl::Status AddressPolicy::CheckUrl(std::string_view url, std::string_view field) const {
  return ParseUrl(url, field).status();
}

absl::StatusOr<UrlParts> AddressPolicy::ParseUrl(std::string_view url, std::string_view field) const {
  const auto refused = [field](std::string_view why) {
    return Error(absl::StatusCode::kInvalidArgument, "URL_REFUSED", why, field);
  };
  if (const std::string_view why = WhyNoUrl(url); !why.empty()) return refused(why);
  UrlParts parts;
  parts.is_tls = absl::StartsWithIgnoreCase(Absl(url), "https://");
  if (!parts.is_tls && !absl::StartsWithIgnoreCase(Absl(url), "http://"))
    return refused("must begin with https://");
  const std::size_t host_at = parts.is_tls ? 8 : 7;
  const std::string_view authority = url.substr(host_at, url.find_first_of("/?", host_at) - host_at);
  if (authority.find('@') != std::string_view::npos) return refused("must not have a user or a password");

  const std::size_t bracket = authority.rfind(']');
  const std::size_t colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  parts.port = parts.is_tls ? 443 : 80;
  if (colon != std::string_view::npos && !ParsePort(authority.substr(colon + 1), parts.port))
    return refused("the port must be a number between 1 and 65535");
  const bool is_bracketed = authority.starts_with('[');
  const std::string_view host = authority.substr(0, colon);
  parts.host = absl::AsciiStrToLower(Absl(is_bracketed ? host.substr(1, host.size() - 2) : host));
  if (parts.host.empty()) return refused("must have a host");

  if (is_bracketed || EndsInNumber(parts.host)) {
    const std::optional<Address> literal = ParseLiteral(parts.host);
    if (!literal || literal->is_v4 == is_bracketed || (is_bracketed && !host.ends_with(']')))
      return refused("the host is an address in a form that is not the usual one");
    parts.is_literal = true;
    if (IsAllowed(*literal, parts.port)) return parts;
    if (const auto why = WhySpecial(*literal)) return refused(Concat("the host is ", *why));
  } else if (IsAllowedHost(parts.host, parts.port)) {
    return parts;
  } else if (const std::string_view why = WhyNoName(parts.host); !why.empty()) {
    return refused(why);
  }
  if (!parts.is_tls) return refused("must begin with https://");
  if (std::find(ports_.begin(), ports_.end(), parts.port) == ports_.end())
    return refused(Concat("the port must be one of ", absl::StrJoin(ports_, ", ")));
  return parts;
}

}  // namespace bv::egress
