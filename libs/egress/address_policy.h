// Which URLs strangers may give us, and which addresses we connect to for them.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bv::egress {

struct AddressPolicySettings {
  // Refuses `allow_private`.
  bool production = true;
  // For development and tests: what is reached though it is no public address, also by plain http and at any
  // port. Addresses with a port, "127.0.0.1:8080" or "[::1]:8080", or networks, "127.0.0.0/8".
  std::vector<std::string> allow_private;
  // That a URL may name.
  std::vector<std::string> ports;
};

struct Address {
  // Of an IPv4 address: its v4-mapped form, which as an IPv6 address is another one.
  std::array<std::uint8_t, 16> bytes{};
  bool is_v4 = false;
};

// The reason for which an address is not connected to, in words; absent for one of the public internet. Of
// what the registries of IANA set aside for special purposes, nothing is public, nor is any form that wraps
// an IPv4 address, whichever it wraps: a gateway on the way could unwrap it. Families beside IPv4 and IPv6
// are refused.
std::optional<std::string> WhyNotPublic(const sockaddr& address);

// The parts of a URL that passed the check.
struct UrlParts {
  bool is_tls = true;
  // Lower case; an IPv6 address without its brackets.
  std::string host;
  int port = 0;
  // Whether `host` is an address and no name.
  bool is_literal = false;
};

// Immutable, so any thread.
class AddressPolicy {
 public:
  // INVALID_ARGUMENT names the setting that cannot be.
  static absl::StatusOr<AddressPolicy> Create(const AddressPolicySettings& settings);

  // https, at most 2,000 characters of ASCII, a port that the settings name, no user, password or fragment;
  // the host a name of at least two labels that is not a private network's, or a public address in its usual
  // form. INVALID_ARGUMENT, reason URL_REFUSED, names `field` and says what is wrong. A name that passes may
  // still have an address that is refused: WhyRefused is asked about the address that is connected to.
  absl::Status CheckUrl(std::string_view url, std::string_view field) const;
  // The same, with what was read.
  absl::StatusOr<UrlParts> ParseUrl(std::string_view url, std::string_view field) const;

  // As WhyNotPublic, but absent also for what the settings allow.
  std::optional<std::string> WhyRefused(const sockaddr& address) const;

 private:
  struct Allowed {
    Address network;
    // Of the 128 bits.
    int prefix_bits = 0;
    // 0: all ports.
    int port = 0;
  };

  absl::Status Allow(std::string_view entry);
  bool IsAllowed(const Address& address, int port) const;
  bool IsAllowedHost(std::string_view host, int port) const;

  std::vector<int> ports_;
  std::vector<Allowed> allowed_;
};

}  // namespace bv::egress
