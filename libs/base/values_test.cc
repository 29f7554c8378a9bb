#include "libs/base/values.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "libs/base/error.h"
#include "libs/base/strings.h"

namespace bv {
namespace {

std::string Times(std::size_t n, char c) {
  return std::string(n, c);
}

template <class T>
void Check(const std::vector<std::string>& good, const std::vector<std::string>& bad) {
  for (const std::string& text : good) {
    const absl::StatusOr<T> value = T::Parse(text);
    ASSERT_TRUE(value.ok()) << text << ": " << value.status();
    EXPECT_EQ(value->str(), text);
  }
  for (const std::string& text : bad) {
    const absl::Status status = T::Parse(text, "some.field").status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_EQ(ErrorReason(status), "INVALID_VALUE") << text;
    EXPECT_EQ(GetErrorDetail(status).field, "some.field") << text;
  }
}

TEST(Values, TenantId) {
  Check<TenantId>({"demo", "0", "a-b-", "acme-2", Times(63, 'a')},
                  {"", "-a", "Demo", "a_b", "a.b", "a,b", "a b", "ä", Times(64, 'a')});
}

TEST(Values, SkuCode) {
  Check<SkuCode>({"TENT-2P", "a", "0.5_L", "-", Times(64, 'x')},
                 {"", "A B", "A/B", "ä", "A\n", "A,B", std::string("A\0", 2), Times(65, 'x')});
}

TEST(Values, LocationAndStoreCode) {
  Check<LocationCode>({"MAIN", "de-1", "a_b", Times(32, 'x')}, {"", "A.B", "A B", Times(33, 'x')});
  Check<StoreCode>({"shop-eu", Times(32, 'x')}, {"", "A.B", Times(33, 'x')});
}

TEST(Values, ReasonCode) {
  Check<ReasonCode>({"RECEIVED", "DAMAGED_2", "_", Times(64, 'X')},
                    {"", "received", "A-B", "A B", Times(65, 'X')});
}

TEST(Values, Email) {
  Check<Email>({"a@b.c", "ada@example.com", "ada+bv@mail.example.co.uk", "łukasz@example.com",
                Concat(Times(242, 'a'), "@example.com")},
               {"", "@", "a@", "@b.c", "a@b", "a@.b", "a@b.", "a@b@c.d", "a b@c.d", "a@b .c", "a@b.c\n",
                "a\x7f@b.c", "a@b.c\xff", "ada.example.com", Concat(Times(243, 'a'), "@example.com")});
}

TEST(Values, Phone) {
  Check<Phone>({"+4930123456", "+1234567", "+123456789012345"},
               {"", "+", "+123456", "+1234567890123456", "4930123456", "+49 30 123456", "+49-30-123456",
                "++4930123456", "+49301234a"});
}

TEST(Values, CountryCode) {
  Check<CountryCode>({"DE", "US"}, {"", "D", "de", "DEU", "D1", "ÄE"});
}

TEST(Values, CompareByTheirText) {
  EXPECT_EQ(SkuCode::Parse("A").value(), SkuCode::Trusted("A"));
  EXPECT_LT(SkuCode::Trusted("A"), SkuCode::Trusted("B"));
  EXPECT_TRUE(SkuCode().empty());
}

TEST(CheckText, CountsCodePoints) {
  EXPECT_TRUE(CheckText("", 0, 3, "f").ok());
  EXPECT_TRUE(CheckText("äöü", 1, 3, "f").ok());
  EXPECT_TRUE(CheckText("🎒🎒🎒", 1, 3, "f").ok());
  EXPECT_TRUE(CheckText("a\tb\r\n", 1, 5, "f").ok());
  EXPECT_FALSE(CheckText("äöüß", 1, 3, "f").ok());
  EXPECT_FALSE(CheckText("", 1, 3, "f").ok());
  EXPECT_FALSE(CheckText("a", 2, 3, "f").ok());
}

TEST(CheckText, RefusesControlCharacters) {
  for (const char c : {'\0', '\x01', '\x08', '\x1b', '\x7f'})
    EXPECT_FALSE(CheckText(std::string("a") + c, 0, 10, "f").ok()) << int{c};
}

TEST(CheckText, RefusesWhatIsNotUtf8) {
  for (const std::string& text : std::vector<std::string>{"\x80",          // a continuation without its lead
                                                          "\xc3",          // cut off
                                                          "\xc3\x28",      // a lead without its continuation
                                                          "\xc0\xaf",      // overlong
                                                          "\xe0\x80\xaf",  // overlong
                                                          "\xf0\x80\x80\xaf",  // overlong
                                                          "\xed\xa0\x80",      // a surrogate
                                                          "\xf4\x90\x80\x80",  // beyond U+10FFFF
                                                          "\xff"}) {
    const absl::Status status = CheckText(text, 0, 10, "f");
    EXPECT_EQ(status.message(), "must be valid UTF-8");
  }
}

}  // namespace
}  // namespace bv
