#include "libs/http/tunnel_head.h"

#include <gtest/gtest.h>

#include <vector>

namespace bv::http {
namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

TEST(TunnelHead, IsTheRequestWithOurHeaders) {
  const Request request{
      .method = "GET",
      .path = "/ws/orders",
      .query = "a=b",
      .headers = {{"Host", "shop.example"}, {"x-forwarded-for", "10.0.0.1"}, {"Forwarded", "for=x"}}};
  EXPECT_EQ(TunnelHead(request, Headers{{"X-Forwarded-For", "192.0.2.7"}, {"Forwarded", ""}}),
            "GET /ws/orders?a=b HTTP/1.1\r\nHost: shop.example\r\nX-Forwarded-For: 192.0.2.7\r\n\r\n");
}

// The chunk that ended the empty body is read; a server that heard of chunks would take what the client sends
// next for one.
TEST(TunnelHead, TellsOfNoBody) {
  const Request request{.method = "GET",
                        .path = "/ws/orders",
                        .headers = {{"Host", "a"},
                                    {"transfer-encoding", "chunked"},
                                    {"CONTENT-LENGTH", "0"},
                                    {"Trailer", "T"},
                                    {"Expect", "100-continue"}}};
  EXPECT_EQ(TunnelHead(request, Headers{}), "GET /ws/orders HTTP/1.1\r\nHost: a\r\n\r\n");
}

}  // namespace
}  // namespace bv::http
