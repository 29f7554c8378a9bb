#include "services/notification/edge/client.h"

#include <gtest/gtest.h>

namespace bv::notification {
namespace {

http::Request From(std::vector<http::Header> headers) {
  return {.headers = std::move(headers), .client_address = "192.0.2.7"};
}

TEST(IsOriginAllowed, AllowsTheSameHostAndThoseOfTheList) {
  const std::vector<std::string> none;
  const std::vector<std::string> shop = {"https://shop.example"};
  EXPECT_TRUE(IsOriginAllowed(From({{"Host", "api.example"}}), none)) << "no browser";
  EXPECT_TRUE(IsOriginAllowed(From({{"Host", "api.example"}, {"Origin", "https://API.example"}}), none));
  EXPECT_TRUE(IsOriginAllowed(
      From(
          {{"Host", "127.0.0.1:80"}, {"X-Forwarded-Host", "api.example"}, {"Origin", "https://api.example"}}),
      none));
  EXPECT_FALSE(IsOriginAllowed(From({{"Host", "api.example"}, {"Origin", "https://evil.example"}}), none));
  EXPECT_FALSE(
      IsOriginAllowed(From({{"Host", "api.example"}, {"Origin", "https://api.example.evil.example"}}), none));
  EXPECT_FALSE(IsOriginAllowed(From({{"Host", "api.example"}, {"Origin", "null"}}), none));
  EXPECT_TRUE(IsOriginAllowed(From({{"Host", "api.example"}, {"Origin", "https://shop.example"}}), shop));
  EXPECT_FALSE(IsOriginAllowed(From({{"Host", "api.example"}, {"Origin", "http://shop.example"}}), shop));
  EXPECT_TRUE(IsOriginAllowed(From({{"Host", "api.example"}, {"Origin", "null"}}), {"*"}));
}

TEST(AddressOf, IsWhatTheGatewaySaw) {
  EXPECT_EQ(AddressOf(From({})), "192.0.2.7");
  EXPECT_EQ(AddressOf(From({{"X-Forwarded-For", "198.51.100.1"}})), "198.51.100.1");
  EXPECT_EQ(AddressOf(From({{"X-Forwarded-For", "6.6.6.6, 198.51.100.1 "}})), "198.51.100.1");
}

TEST(ReconnectWait, IsAtMostTheJitter) {
  absl::Duration longest;
  for (int i = 0; i < 1'000; ++i) longest = std::max(longest, ReconnectWait(absl::Milliseconds(50)));
  EXPECT_LE(longest, absl::Milliseconds(50));
  EXPECT_GT(longest, absl::Milliseconds(40));
  EXPECT_EQ(ReconnectWait(absl::ZeroDuration()), absl::ZeroDuration());
}

}  // namespace
}  // namespace bv::notification
