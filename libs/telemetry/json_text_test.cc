#include "libs/telemetry/json_text.h"

#include <gtest/gtest.h>
#include <rapidjson/document.h>

namespace bv::telemetry {
namespace {

std::string Json(std::string_view text, std::size_t bytes_max = 1000) {
  std::string json;
  AppendJsonString(json, text, bytes_max);
  return json;
}

TEST(JsonText, EscapesWhatJsonRequires) {
  EXPECT_EQ(Json("plain"), R"("plain")");
  EXPECT_EQ(Json("\"\\\n\r\t"), R"("\"\\\n\r\t")");
  EXPECT_EQ(Json(std::string_view("\0\x1f\x7f", 3)), R"("\u0000\u001f\u007f")");
  EXPECT_EQ(Json("ü€😀"), "\"ü€😀\"");
}

TEST(JsonText, ReplacesWhatIsNotUtf8) {
  const struct {
    std::string_view text;
    std::string_view expected;
  } kCases[] = {
      {"a\x80z", "\"a\uFFFDz\""},                            // continuation without a start
      {"a\xC3", "\"a\uFFFD\""},                              // cut off
      {"\xC0\xAF", "\"\uFFFD\uFFFD\""},                      // overlong slash
      {"\xE0\x80\xAF", "\"\uFFFD\uFFFD\uFFFD\""},            // overlong, three bytes
      {"\xED\xA0\x80", "\"\uFFFD\uFFFD\uFFFD\""},            // surrogate
      {"\xF4\x90\x80\x80", "\"\uFFFD\uFFFD\uFFFD\uFFFD\""},  // above U+10FFFF
      {"\xF0\x80\x80\x80", "\"\uFFFD\uFFFD\uFFFD\uFFFD\""},  // overlong, four bytes
      {"\xFF\xFE", "\"\uFFFD\uFFFD\""},
      {"\xC3\"", "\"\uFFFD\\\"\""},  // must not swallow the quote
  };
  for (const auto& test : kCases) EXPECT_EQ(Json(test.text), test.expected);
}

TEST(JsonText, CutsLongTextAtACharactersEdge) {
  EXPECT_EQ(Json("abcdef", 3), "\"abc…\"");
  EXPECT_EQ(Json("abcdef", 6), "\"abcdef\"");
  EXPECT_EQ(Json("a€€", 5), "\"a€…\"");
  EXPECT_EQ(Json("€", 1), "\"…\"");
}

TEST(JsonText, EveryPairOfBytesIsValidJson) {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const char text[] = {static_cast<char>(first), static_cast<char>(second)};
      const std::string json = Json({text, 2});
      rapidjson::Document document;
      document.Parse<rapidjson::kParseValidateEncodingFlag>(json.data(), json.size());
      ASSERT_FALSE(document.HasParseError()) << first << " " << second;
    }
  }
}

}  // namespace
}  // namespace bv::telemetry
