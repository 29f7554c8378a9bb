#include "services/gateway/rest/client_address.h"

#include <gtest/gtest.h>

namespace bv::gateway {
namespace {

std::string Client(const std::vector<std::string>& trusted, std::string_view connected,
                   std::vector<std::string_view> forwarded) {
  const auto proxies = TrustedProxies::Create(trusted);
  EXPECT_TRUE(proxies.ok()) << proxies.status();
  http::Request request{.client_address = connected};
  for (const std::string_view value : forwarded) request.headers.push_back({"x-forwarded-for", value});
  std::string scratch;
  return std::string(proxies->ClientOf(request, scratch));
}

TEST(ClientOf, BelievesNobodyByDefault) {
  EXPECT_EQ(Client({}, "192.0.2.7", {"6.6.6.6"}), "192.0.2.7");
  EXPECT_EQ(Client({"10.0.0.0/8"}, "192.0.2.7", {"6.6.6.6"}), "192.0.2.7");
  EXPECT_EQ(Client({"10.0.0.1"}, "10.0.0.2", {"6.6.6.6"}), "10.0.0.2");
}

TEST(ClientOf, GoesBackToTheFirstStranger) {
  const std::vector<std::string> trusted = {"10.0.0.0/8", "2001:db8::/32"};
  EXPECT_EQ(Client(trusted, "10.0.0.1", {}), "10.0.0.1");
  EXPECT_EQ(Client(trusted, "10.0.0.1", {"192.0.2.7"}), "192.0.2.7");
  EXPECT_EQ(Client(trusted, "10.0.0.1", {"6.6.6.6, 192.0.2.7"}), "192.0.2.7")
      << "the rest is the stranger's word";
  EXPECT_EQ(Client(trusted, "10.0.0.1", {"6.6.6.6, 192.0.2.7 ,10.9.9.9"}), "192.0.2.7");
  EXPECT_EQ(Client(trusted, "10.0.0.1", {"6.6.6.6", "192.0.2.7"}), "192.0.2.7") << "two headers are one list";
  EXPECT_EQ(Client(trusted, "2001:db8::1", {"2001:DB9:0::7"}), "2001:db9::7");
}

TEST(ClientOf, StopsAtWhatIsNoAddress) {
  for (const char* odd : {"unknown", "", "6.6.6.6,", "6.6.6.6,,", "192.0.2.7:80", "1.2.3"})
    EXPECT_EQ(Client({"10.0.0.0/8"}, "10.0.0.1", {odd}), "10.0.0.1") << odd;
}

TEST(TrustedProxies, NamesWhatItCannotRead) {
  for (const char* odd : {"", "nope", "10.0.0.0/33", "10.0.0/8", "fd00::/129"})
    EXPECT_FALSE(TrustedProxies::Create({odd}).ok()) << odd;
}

}  // namespace
}  // namespace bv::gateway
