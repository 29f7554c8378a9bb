#include "libs/egress/address_policy.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cstring>

#include "libs/base/error.h"
#include "libs/base/strings.h"

namespace bv::egress {
namespace {

sockaddr_storage SocketAddress(const std::string& text, int port = 443) {
  sockaddr_storage storage{};
  auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
  if (inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(static_cast<std::uint16_t>(port));
  } else {
    EXPECT_EQ(inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr), 1) << text;
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(static_cast<std::uint16_t>(port));
  }
  return storage;
}

bool IsPublic(const std::string& text) {
  const sockaddr_storage storage = SocketAddress(text);
  return !WhyNotPublic(reinterpret_cast<const sockaddr&>(storage));
}

AddressPolicy Policy(std::vector<std::string> allow_private = {}) {
  const absl::StatusOr<AddressPolicy> policy =
      AddressPolicy::Create({.production = allow_private.empty(),
                             .allow_private = std::move(allow_private),
                             .ports = {"443", "8443"}});
  EXPECT_TRUE(policy.ok()) << policy.status();
  return *policy;
}

// "" when it passes, else the message.
std::string Refusal(const AddressPolicy& policy, std::string_view url) {
  const absl::Status status = policy.CheckUrl(url, "url");
  if (status.ok()) return "";
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << url;
  EXPECT_EQ(GetErrorDetail(status).reason, "URL_REFUSED") << url;
  EXPECT_EQ(GetErrorDetail(status).field, "url") << url;
  return std::string(status.message());
}

TEST(AddressPolicy, OrdinaryUrlsPass) {
  const AddressPolicy policy = Policy();
  for (const char* url : {
           "https://example.com",
           "https://example.com/",
           "https://example.com/hooks?x=1&y=%20",
           "https://Hooks.Example.COM:8443/a",
           "https://example.com:443/",
           "HTTPS://example.com/",
           "https://xn--bcher-kva.example/",
           "https://a.b.c.d.example/",
           "https://1.example/",
           "https://0x7f.example/",
           "https://my-shop.example?x",
           "https://8.8.8.8/",
           "https://[2606:4700::1111]/",
           "https://[2606:4700::1111]:8443/a",
           "https://notlocalhost.example/",
           "https://localhost.example/",
           "https://example.com/@user",
           "https://example.com/a:b",
       }) {
    EXPECT_EQ(Refusal(policy, url), "") << url;
  }
}

// What has been used to get past such checks, each with what it is meant to reach.
TEST(AddressPolicy, RefusesForgedUrls) {
  constexpr const char* kVectors[] = {
      // Schemes.
      "http://example.com/",
      "ftp://example.com/",
      "file:///etc/passwd",
      "gopher://example.com:443/_x",
      "dict://example.com:443/",
      "//example.com/",
      "example.com",
      "javascript:alert(1)",
      "https:/example.com",
      "https:example.com",
      " https://example.com/",
      "https//example.com",
      "",
      // Ports.
      "https://example.com:22/",
      "https://example.com:80/",
      "https://example.com:6379/",
      "https://example.com:0/",
      "https://example.com:65979/",
      "https://example.com:/",
      "https://example.com:+443/",
      "https://example.com:0443/",
      "https://example.com:443:443/",
      "https://example.com:44 3/",
      // User and password, and what parsers take for them.
      "https://user@example.com/",
      "https://user:password@example.com/",
      "https://example.com@127.0.0.1/",
      "https://127.0.0.1:443@example.com/",
      "https://example.com\\@127.0.0.1/",
      "https://example.com%40127.0.0.1/",
      // Fragments, controls, other scripts.
      "https://example.com/#fragment",
      "https://example.com#@127.0.0.1/",
      "https://example.com/a\r\nHost: b",
      "https://exa\tmple.com/",
      "https://b\xc3\xbc"
      "cher.example/",
      "https://\xe2\x91\xa0\xe2\x91\xa1\xe2\x91\xa6.0.0.1/",
      "https://127\xe3\x80\x82"
      "0\xe3\x80\x82"
      "0\xe3\x80\x82"
      "1/",
      "https://\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1/",
      // Percent in the host.
      "https://127%2e0%2e0%2e1/",
      "https://%6c%6f%63alhost/",
      "https://example.com%00.internal/",
      "https://[fe80::1%25eth0]/",
      "https://[::1%lo]/",
      // Names of private networks.
      "https://localhost/",
      "https://LOCALHOST/",
      "https://localhost./",
      "https://a.localhost/",
      "https://localhost.localdomain/",
      "https://printer.local/",
      "https://metadata.google.internal/",
      "https://router.home.arpa/",
      "https://postgres/",
      "https://example.com./",
      "https://.example.com/",
      "https://exa_mple.com/",
      "https://-a.example/",
      "https://a..example/",
      // IPv4 in every way that inet_aton reads.
      "https://127.0.0.1/",
      "https://127.1/",
      "https://127.0.1/",
      "https://2130706433/",
      "https://0x7f000001/",
      "https://0x7f.0.0.1/",
      "https://0177.0.0.1/",
      "https://017700000001/",
      "https://0x7f.0x0.0x0.0x1/",
      "https://127.0.0.01/",
      "https://127.0.0.1./",
      "https://127.0.0.0x1/",
      "https://0/",
      "https://0.0.0.0/",
      "https://00000000177.0.0.1/",
      "https://127.0.0.256/",
      "https://127.0.0.1.1/",
      "https://3232235777/",
      "https://8.8.8.8./",
      "https://010.8.8.8/",
      "https://0x/",
      "https://10.0.0.1/",
      "https://172.16.0.1/",
      "https://172.31.255.255/",
      "https://192.168.1.1/",
      "https://169.254.169.254/latest/meta-data/",
      "https://100.64.0.1/",
      "https://100.100.100.200/",
      "https://198.18.0.1/",
      "https://192.0.0.192/",
      "https://168.63.129.16/",
      "https://255.255.255.255/",
      "https://224.0.0.1/",
      // IPv6, and IPv4 wrapped in it.
      "https://[::1]/",
      "https://[::]/",
      "https://[0:0:0:0:0:0:0:1]/",
      "https://[::ffff:127.0.0.1]/",
      "https://[::ffff:7f00:1]/",
      "https://[::ffff:8.8.8.8]/",
      "https://[::127.0.0.1]/",
      "https://[::ffff:0:127.0.0.1]/",
      "https://[64:ff9b::7f00:1]/",
      "https://[64:ff9b:1::a00:1]/",
      "https://[2002:7f00:1::]/",
      "https://[2001:0:7f00:1::]/",
      "https://[fe80::1]/",
      "https://[fec0::1]/",
      "https://[fc00::1]/",
      "https://[fd00:ec2::254]/",
      "https://[ff02::1]/",
      "https://[2001:db8::1]/",
      "https://[::1",
      "https://::1/",
      "https://[127.0.0.1]/",
      "https://[]/",
      "https://[::1]x/",
      "https://[::1]:22/",
      "https://[2606:4700::1111]x:443/",
      "https://[v1.fe80::a]/",
      "https:///",
      "https://?x",
      "https://:443/",
  };
  const AddressPolicy policy = Policy();
  EXPECT_GE(std::size(kVectors), 60u);
  for (const char* url : kVectors) EXPECT_NE(Refusal(policy, url), "") << url;
  EXPECT_NE(Refusal(policy, std::string_view("https://example.com/\0x", 22)), "");
  EXPECT_EQ(Refusal(policy, Concat("https://example.com/", std::string(1980, 'a'))), "");
  EXPECT_NE(Refusal(policy, Concat("https://example.com/", std::string(1981, 'a'))), "");
  EXPECT_NE(Refusal(policy, Concat("https://", std::string(64, 'a'), ".example/")), "");
}

TEST(AddressPolicy, ARefusalSaysWhy) {
  const AddressPolicy policy = Policy();
  EXPECT_EQ(Refusal(policy, "https://10.1.2.3/"), "the host is an address of a private network (10.0.0.0/8)");
  EXPECT_EQ(Refusal(policy, "https://0x7f.1/"), "the host is an address in a form that is not the usual one");
  EXPECT_EQ(Refusal(policy, "https://a.internal/"), "the host is a name of private networks");
  EXPECT_EQ(Refusal(policy, "https://u:p@example.com/"), "must not have a user or a password");
  EXPECT_EQ(Refusal(policy, "https://example.com:22/"), "the port must be one of 443, 8443");
  EXPECT_EQ(Refusal(policy, "http://example.com/"), "must begin with https://");
}

TEST(AddressPolicy, PublicAddresses) {
  for (const char* text : {"1.1.1.1",          "8.8.8.8",         "9.255.255.255",   "11.0.0.0",
                           "100.63.255.255",   "100.128.0.0",     "126.255.255.255", "128.0.0.0",
                           "169.253.255.255",  "169.255.0.0",     "172.15.255.255",  "172.32.0.0",
                           "191.255.255.255",  "192.0.1.0",       "192.0.3.0",       "192.167.255.255",
                           "192.169.0.0",      "198.17.255.255",  "198.20.0.0",      "223.255.255.255",
                           "168.63.129.15",    "2606:4700::1111", "2001:200::1",     "2001:4860:4860::8888",
                           "2001:db7:ffff::1", "2001:db9::1",     "2003::1",         "2a00::1",
                           "3ffd::1"}) {
    EXPECT_TRUE(IsPublic(text)) << text;
  }
}

TEST(AddressPolicy, OtherAddresses) {
  // The first and the last of each network.
  for (const char* text : {"0.0.0.0",
                           "0.255.255.255",
                           "10.0.0.0",
                           "10.255.255.255",
                           "100.64.0.0",
                           "100.127.255.255",
                           "127.0.0.0",
                           "127.255.255.255",
                           "168.63.129.16",
                           "169.254.0.0",
                           "169.254.255.255",
                           "172.16.0.0",
                           "172.31.255.255",
                           "192.0.0.0",
                           "192.0.0.255",
                           "192.0.2.0",
                           "192.0.2.255",
                           "192.88.99.0",
                           "192.88.99.255",
                           "192.168.0.0",
                           "192.168.255.255",
                           "198.18.0.0",
                           "198.19.255.255",
                           "198.51.100.0",
                           "198.51.100.255",
                           "203.0.113.0",
                           "203.0.113.255",
                           "224.0.0.0",
                           "239.255.255.255",
                           "240.0.0.0",
                           "255.255.255.255",
                           "::",
                           "::1",
                           "::2",
                           "::8.8.8.8",
                           "::ffff:8.8.8.8",
                           "::ffff:10.0.0.1",
                           "::ffff:0:8.8.8.8",
                           "64:ff9b::8.8.8.8",
                           "64:ff9b:1::1",
                           "64:ff9b:1:ffff::1",
                           "100::1",
                           "2001::1",
                           "2001:0:ffff::1",
                           "2001:2::1",
                           "2001:10::1",
                           "2001:20::1",
                           "2001:1ff:ffff::1",
                           "2001:db8::",
                           "2001:db8:ffff::1",
                           "2002::1",
                           "2002:808:808::1",
                           "3ffe::1",
                           "3fff::1",
                           "3fff:fff::1",
                           "4000::1",
                           "5f00::1",
                           "1fff::1",
                           "fc00::1",
                           "fdff::1",
                           "fe80::1",
                           "febf::1",
                           "fec0::1",
                           "feff::1",
                           "ff00::1",
                           "ff0e::1"}) {
    EXPECT_FALSE(IsPublic(text)) << text;
  }
  sockaddr_un local{};
  local.sun_family = AF_UNIX;
  EXPECT_TRUE(WhyNotPublic(reinterpret_cast<const sockaddr&>(local)));
}

TEST(AddressPolicy, AllowsWhatTestsNeedAndNoMore) {
  const AddressPolicy policy = Policy({"127.0.0.1:8080", "10.1.0.0/16", "[::1]:9000"});
  for (const char* url : {"http://127.0.0.1:8080/", "https://127.0.0.1:8080/", "http://localhost:8080/",
                          "http://10.1.2.3:5/", "http://[::1]:9000/", "https://example.com/"}) {
    EXPECT_EQ(Refusal(policy, url), "") << url;
  }
  for (const char* url :
       {"http://127.0.0.1:8081/", "http://127.0.0.2:8080/", "http://localhost/", "http://10.2.0.0/",
        "http://[::1]/", "http://[::ffff:127.0.0.1]:8080/", "http://example.com/",
        "https://example.com:8080/", "http://127.1:8080/", "http://u@127.0.0.1:8080/"}) {
    EXPECT_NE(Refusal(policy, url), "") << url;
  }
  const auto refused = [&](const char* address, int port) {
    const sockaddr_storage storage = SocketAddress(address, port);
    return policy.WhyRefused(reinterpret_cast<const sockaddr&>(storage)).has_value();
  };
  EXPECT_FALSE(refused("127.0.0.1", 8080));
  EXPECT_FALSE(refused("10.1.255.255", 1));
  EXPECT_FALSE(refused("1.1.1.1", 443));
  EXPECT_TRUE(refused("127.0.0.1", 8081));
  EXPECT_TRUE(refused("10.2.0.0", 1));
  EXPECT_TRUE(refused("::ffff:127.0.0.1", 8080));
}

TEST(AddressPolicy, SettingsThatCannotBe) {
  const auto field = [](AddressPolicySettings settings) {
    return GetErrorDetail(AddressPolicy::Create(settings).status()).field;
  };
  EXPECT_EQ(field({.production = true, .allow_private = {"127.0.0.0/8"}, .ports = {"443"}}),
            "egress.allow_private");
  EXPECT_EQ(field({.production = false, .allow_private = {"127.0.0.0/8"}, .ports = {"443"}}), "");
  for (const char* entry : {"", "127.0.0.1", "localhost:80", "127.0.0.0/33", "::1/129", "127.0.0.1:0", "10/8",
                            "127.0.0.0/", "[::1]"}) {
    EXPECT_EQ(field({.production = false, .allow_private = {entry}, .ports = {"443"}}),
              "egress.allow_private")
        << entry;
  }
  EXPECT_EQ(field({.ports = {}}), "egress.ports");
  EXPECT_EQ(field({.ports = {"0"}}), "egress.ports");
}

}  // namespace
}  // namespace bv::egress
