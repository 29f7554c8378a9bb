#include "libs/http/uri.h"

#include <gtest/gtest.h>

namespace bv::http {
namespace {

TEST(PercentDecode, DecodesByThePartOfTheUri) {
  std::string out = "before";
  EXPECT_TRUE(PercentDecode("a%20b+%c3%A9", UriPart::kPath, out));
  EXPECT_EQ(out, "a b+é");
  EXPECT_TRUE(PercentDecode("a+b%2B", UriPart::kQuery, out));
  EXPECT_EQ(out, "a b+");
}

TEST(PercentDecode, RefusesHalfAnEscape) {
  std::string out;
  for (const char* text : {"%", "%4", "a%", "%4g", "%g4", "%%41"})
    EXPECT_FALSE(PercentDecode(text, UriPart::kPath, out)) << text;
}

TEST(AppendPercentEncoded, IsUndoneByDecoding) {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  std::string encoded;
  AppendPercentEncoded(all, encoded);
  EXPECT_EQ(encoded.find_first_of(" /?#%+&=", 0), encoded.find('%'));
  std::string decoded;
  ASSERT_TRUE(PercentDecode(encoded, UriPart::kPath, decoded));
  EXPECT_EQ(decoded, all);
}

TEST(FindParameter, TakesTheFirstOfItsName) {
  std::string value;
  EXPECT_TRUE(FindParameter("tenantId=x&tenant&tenant=a%20b+c&tenant=d", "tenant", value));
  EXPECT_EQ(value, "a b c");
  EXPECT_TRUE(FindParameter("a=1", "tenant", value));
  EXPECT_EQ(value, "");
  EXPECT_TRUE(FindParameter("", "tenant", value));
  EXPECT_FALSE(FindParameter("tenant=%zz", "tenant", value));
}

TEST(SplitTarget, FindsPathAndQuery) {
  std::string_view path, query;
  for (const std::string_view target : {"/a?b=c", "http://host:80/a?b=c", "https://host/a?b=c#d"}) {
    ASSERT_TRUE(SplitTarget(target, path, query)) << target;
    EXPECT_EQ(path, "/a") << target;
    EXPECT_EQ(query, "b=c") << target;
  }
  ASSERT_TRUE(SplitTarget("http://host", path, query));
  EXPECT_EQ(path, "/");
  EXPECT_EQ(query, "");
  for (const std::string_view target : {"", "*", "a", "ftp://host/a"})
    EXPECT_FALSE(SplitTarget(target, path, query)) << target;
}

}  // namespace
}  // namespace bv::http
