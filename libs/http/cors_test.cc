#include "libs/http/cors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bv::http {
namespace {

using testing::HasSubstr;

Response Answer(std::vector<std::string> origins, std::vector<Header> headers) {
  const Cors cors({.origins = std::move(origins), .max_age = absl::Minutes(10)}, "ETag, Location");
  const Request request{.headers = std::move(headers)};
  Response response;
  cors.Apply(request, response);
  cors.AnswerPreflight(request, "GET, PATCH, OPTIONS", response);
  return response;
}

TEST(Cors, LetsNobodyInByDefault) {
  const Response response =
      Answer({}, {{"Origin", "https://shop.example"}, {"Access-Control-Request-Method", "PATCH"}});
  EXPECT_EQ(response.header_lines(), "");
  EXPECT_EQ(response.vary(), "");
}

TEST(Cors, LetsInWhoIsNamed) {
  const std::vector<std::string> origins = {"https://shop.example", "http://localhost:3000"};
  const Response response = Answer(origins, {{"Origin", "http://localhost:3000"}});
  EXPECT_EQ(response.header_lines(),
            "Access-Control-Allow-Origin: http://localhost:3000\r\nAccess-Control-Expose-Headers: ETag, "
            "Location\r\n");
  for (const char* other :
       {"", "null", "http://localhost:3001", "https://shop.example.evil", "HTTPS://SHOP.EXAMPLE", "*"}) {
    const Response refused = Answer(origins, {{"Origin", other}, {"Access-Control-Request-Method", "GET"}});
    EXPECT_EQ(refused.header_lines(), "") << other;
    EXPECT_EQ(refused.vary(), "Origin") << other;
  }
}

TEST(Cors, AnswersAPreflight) {
  const Response response = Answer({"*"}, {{"Origin", "https://any.example"},
                                           {"Access-Control-Request-Method", "PATCH"},
                                           {"Access-Control-Request-Headers", "authorization,content-type"}});
  EXPECT_THAT(response.header_lines(), HasSubstr("Access-Control-Allow-Origin: *\r\n"));
  EXPECT_THAT(response.header_lines(), HasSubstr("Access-Control-Allow-Methods: GET, PATCH, OPTIONS\r\n"));
  EXPECT_THAT(response.header_lines(),
              HasSubstr("Access-Control-Allow-Headers: authorization,content-type\r\n"));
  EXPECT_THAT(response.header_lines(), HasSubstr("Access-Control-Max-Age: 600\r\n"));
  EXPECT_EQ(response.vary(), "Access-Control-Request-Headers");
}

}  // namespace
}  // namespace bv::http
