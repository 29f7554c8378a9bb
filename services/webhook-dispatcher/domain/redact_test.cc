#include "services/webhook-dispatcher/domain/redact.h"

#include <gtest/gtest.h>

namespace bv::webhook {
namespace {

TEST(Redacted, WhatSaysNothingSecretStays) {
  for (const char* text :
       {"", "OK", "order 4711 is not known here", "{\"error\":\"no such order\",\"code\":17}",
        "<html><body>Bad gateway</body></html>\n", "Größe überschritten"})
    EXPECT_EQ(Redacted(text), text);
}

TEST(Redacted, WhatStandsBehindATellingNameGoes) {
  EXPECT_EQ(Redacted("{\"access_token\":\"abc\",\"id\":7}"), "{\"access_token\":\"***\",\"id\":7}");
  EXPECT_EQ(Redacted("X-Api-Key: hush"), "X-Api-Key: ***");
  EXPECT_EQ(Redacted("password=letmein&x=1"), "password=***&x=1");
  EXPECT_EQ(Redacted("Authorization: Bearer abc"), "Authorization: Bearer ***");
  EXPECT_EQ(Redacted("Bearer abc"), "Bearer ***");
}

TEST(Redacted, LongWordsOfLettersAndDigitsGo) {
  EXPECT_EQ(Redacted("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw is wrong"), "*** is wrong");
  EXPECT_EQ(Redacted("see eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln"), "see ***");
}

TEST(Redacted, IsAlwaysShortReadableUtf8) {
  EXPECT_EQ(Redacted(std::string("a\0b\x1b[31m\xff", 9)), "a?b?[31m?");
  EXPECT_EQ(Redacted(std::string_view("\xed\xa0\x80", 3)), "???");
  std::string umlauts;
  for (int i = 0; i < 2000; ++i) umlauts += "\xc3\xa4 ";
  const std::string cut = Redacted(umlauts);
  EXPECT_LE(cut.size(), 1024u);
  EXPECT_GE(cut.size(), 1021u);
}

}  // namespace
}  // namespace bv::webhook
