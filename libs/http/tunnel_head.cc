#include "libs/http/tunnel_head.h"

#include <algorithm>
#include <array>

#include "libs/base/strings.h"

namespace bv::http {
namespace {

constexpr std::array<std::string_view, 4> kOfBodies = {"Content-Length", "Transfer-Encoding", "Trailer",
                                                       "Expect"};

}  // namespace

std::string TunnelHead(const Request& request, std::span<const std::pair<std::string, std::string>> headers) {
  std::string head = Concat(request.method, " ", request.path, request.query.empty() ? "" : "?",
                            request.query, " HTTP/1.1\r\n");
  const auto add = [&head](std::string_view name, std::string_view value) {
    head += name;
    head += ": ";
    head += value;
    head += "\r\n";
  };
  for (const Header& header : request.headers) {
    const auto is_its_name = [&header](std::string_view name) { return IsSameName(name, header.name); };
    const bool is_replaced =
        std::ranges::any_of(headers, [&](const auto& other) { return is_its_name(other.first); });
    if (!is_replaced && std::ranges::none_of(kOfBodies, is_its_name)) add(header.name, header.value);
  }
  for (const auto& [name, value] : headers) {
    if (!value.empty()) add(name, value);
  }
  return head += "\r\n";
}

}  // namespace bv::http
