#include "libs/smtp/header.h"

#include <absl/strings/escaping.h>
#include <absl/strings/str_split.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/strings.h"

namespace bv::smtp {
namespace {

std::string Decoded(const std::string& words) {
  std::string text;
  for (const absl::string_view line : absl::StrSplit(words, "\r\n ")) {
    EXPECT_LE(line.size(), 75u);
    EXPECT_EQ(line.substr(0, 10), "=?UTF-8?B?");
    std::string part;
    EXPECT_TRUE(absl::Base64Unescape(line.substr(10, line.size() - 12), &part));
    // Each word is whole by itself.
    EXPECT_NE(static_cast<unsigned char>(part[0]) & 0xc0, 0x80);
    text += part;
  }
  return text;
}

TEST(HeaderTest, PlainTextStaysAsItIs) {
  EXPECT_EQ(EncodeWords("Your order ord_1 is paid"), "Your order ord_1 is paid");
}

TEST(HeaderTest, OtherTextIsEncodedInWholeCharacters) {
  EXPECT_EQ(EncodeWords("Grüße"), "=?UTF-8?B?R3LDvMOfZQ==?=");
  std::string text;
  for (int i = 0; i < 100; ++i) text += "a€";
  EXPECT_EQ(Decoded(EncodeWords(text)), text);
}

TEST(HeaderTest, WhatLooksEncodedIsEncoded) {
  EXPECT_EQ(Decoded(EncodeWords("=?UTF-8?B?Zm9v?=")), "=?UTF-8?B?Zm9v?=");
}

TEST(HeaderTest, NamesAreQuotedOrEncoded) {
  EXPECT_EQ(Mailbox("", "a@b.de"), "<a@b.de>");
  EXPECT_EQ(Mailbox("Tents, Ltd. \"North\"", "a@b.de"), "\"Tents, Ltd. \\\"North\\\"\" <a@b.de>");
  EXPECT_EQ(Mailbox("Zelte für Ä", "a@b.de"), "=?UTF-8?B?WmVsdGUgZsO8ciDDhA==?= <a@b.de>");
}

TEST(HeaderTest, DatesAreInEnglishAndUtc) {
  EXPECT_EQ(DateOf(absl::FromUnixSeconds(1'795'327'200)), "Sun, 22 Nov 2026 06:00:00 +0000");
}

}  // namespace
}  // namespace bv::smtp
