// A URL that passes means the same host and port to libcurl, which connects to it.
//
// Input: the URL.
#include <arpa/inet.h>
#include <curl/curl.h>

#include <array>
#include <memory>
#include <string>

#include "libs/egress/address_policy.h"
#include "tests/fuzz/fuzz.h"

namespace bv::fuzz {
namespace {

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

std::string Part(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return {};
  std::string copy = text;
  curl_free(text);
  return copy;
}

}  // namespace

void Run(std::string_view input) {
  static const egress::AddressPolicy policy =
      *egress::AddressPolicy::Create({.production = true, .ports = {"443", "8443"}});
  const absl::StatusOr<egress::UrlParts> parts = policy.ParseUrl(input, "url");
  if (!parts.ok()) {
    RequireRefusal(parts.status());
    return Require(GetErrorDetail(parts.status()).field == "url", "a refused URL is named");
  }
  const std::unique_ptr<CURLU, FreeUrl> url(curl_url());
  const CURLUcode code = curl_url_set(url.get(), CURLUPART_URL, std::string(input).c_str(), 0);
  // What libcurl cannot read it connects to nowhere.
  if (code != CURLUE_OK) return;
  std::string host = Part(url.get(), CURLUPART_HOST);
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  // libcurl writes an IPv6 address in its shortest form.
  if (std::array<unsigned char, 16> one{}, other{}; inet_pton(AF_INET6, host.c_str(), one.data()) == 1) {
    Require(inet_pton(AF_INET6, parts->host.c_str(), other.data()) == 1 && one == other,
            "the address is libcurl's");
    host = parts->host;
  }
  for (char& c : host) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  Require(host == parts->host, "the host is libcurl's");
  Require(Part(url.get(), CURLUPART_PORT) == std::to_string(parts->port), "the port is libcurl's");
  Require(Part(url.get(), CURLUPART_SCHEME) == "https", "the scheme is https");
  Require(Part(url.get(), CURLUPART_USER).empty(), "there is no user");
}

}  // namespace bv::fuzz
