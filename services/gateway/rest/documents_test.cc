#include "services/gateway/rest/documents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace bv::gateway {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Answer {
  bool known;
  http::Response response;
};

Answer Ask(const Documents& documents, std::string_view path, std::string_view method = "GET",
           std::vector<http::Header> headers = {}) {
  const http::Request request{.method = method, .path = path, .headers = std::move(headers)};
  Answer answer;
  answer.known = documents.Answer(request, answer.response);
  return answer;
}

class WithPage : public ::testing::Test {
 protected:
  WithPage() : folder_(std::filesystem::path(::testing::TempDir()) / "documents_test") {
    std::filesystem::create_directories(folder_);
    for (const char* name : {"swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"})
      std::ofstream(folder_ / name) << name;
  }
  ~WithPage() override { std::filesystem::remove_all(folder_); }

  const std::filesystem::path folder_;
};

TEST(Documents, TheContractIsPartOfTheProgram) {
  const auto documents = Documents::Load("");
  ASSERT_TRUE(documents.ok()) << documents.status();
  const Answer answer = Ask(*documents, "/openapi.json");
  ASSERT_TRUE(answer.known);
  EXPECT_THAT(answer.response.body, StartsWith("{\n  \"openapi\": \"3.1.0\""));
  EXPECT_EQ(answer.response.route, "GET /openapi.json");
  EXPECT_FALSE(Ask(*documents, "/docs").known);
  EXPECT_FALSE(documents->Has("/docs"));
}

TEST(Documents, WhoHasItIsNotSentItAgain) {
  const auto documents = Documents::Load("");
  ASSERT_TRUE(documents.ok());
  const std::string tag = "\"" + Ask(*documents, "/openapi.json").response.etag + "\"";
  const Answer again = Ask(*documents, "/openapi.json", "GET", {{"If-None-Match", tag}});
  EXPECT_EQ(again.response.status, 304);
  EXPECT_EQ(again.response.body, "");
  EXPECT_EQ(Ask(*documents, "/openapi.json", "HEAD", {{"If-Match", "\"another\""}}).response.status, 412);
}

TEST(Documents, OtherMethodsAreNotAnswered) {
  const auto documents = Documents::Load("");
  ASSERT_TRUE(documents.ok());
  EXPECT_FALSE(Ask(*documents, "/openapi.json", "POST").known);
  EXPECT_TRUE(documents->Has("/openapi.json"));
}

TEST_F(WithPage, HasAPolicyOfItsOwn) {
  const auto documents = Documents::Load(folder_.string());
  ASSERT_TRUE(documents.ok()) << documents.status();
  for (const char* path : {"/docs", "/docs/", "/docs/page.js", "/docs/swagger-ui-bundle.js"}) {
    const Answer answer = Ask(*documents, path);
    ASSERT_TRUE(answer.known) << path;
    EXPECT_THAT(answer.response.header_lines(), HasSubstr("script-src 'self';")) << path;
  }
  EXPECT_EQ(Ask(*documents, "/docs/swagger-ui.css").response.body, "swagger-ui.css");
  EXPECT_FALSE(Ask(*documents, "/docs/../gateway.yaml").known);
}

TEST_F(WithPage, AMissingFileIsNamed) {
  std::filesystem::remove(folder_ / "swagger-ui.css");
  EXPECT_THAT(Documents::Load(folder_.string()).status().message(), HasSubstr("swagger-ui.css"));
}

}  // namespace
}  // namespace bv::gateway
