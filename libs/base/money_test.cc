#include "libs/base/money.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <string>

#include "libs/base/error.h"

namespace bv {
namespace {

constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

struct Decimal {
  const char* text;
  int digits;
  std::int64_t minor_units;
};

TEST(Decimal, BothWays) {
  for (const Decimal& d : {Decimal{"129.50", 2, 12950},
                           {"0.00", 2, 0},
                           {"0.01", 2, 1},
                           {"-0.01", 2, -1},
                           {"-129.50", 2, -12950},
                           {"25", 0, 25},
                           {"0", 0, 0},
                           {"1.234", 3, 1234},
                           {"0.001", 3, 1},
                           {"92233720368547758.07", 2, kMax},
                           {"-92233720368547758.08", 2, kMin},
                           {"9223372036854775807", 0, kMax},
                           {"-9223372036854775808", 0, kMin}}) {
    EXPECT_EQ(FormatDecimal(d.minor_units, d.digits), d.text);
    const auto parsed = ParseDecimal(d.text, d.digits);
    ASSERT_TRUE(parsed.ok()) << d.text << ": " << parsed.status();
    EXPECT_EQ(*parsed, d.minor_units) << d.text;
  }
}

TEST(ParseDecimal, TakesFewerDigits) {
  EXPECT_EQ(ParseDecimal("25", 2).value(), 2500);
  EXPECT_EQ(ParseDecimal("129.5", 2).value(), 12950);
  EXPECT_EQ(ParseDecimal("-0", 2).value(), 0);
  EXPECT_EQ(ParseDecimal("007.10", 2).value(), 710);
}

TEST(ParseDecimal, RefusesTheRest) {
  for (const char* text : {"",
                           "-",
                           ".",
                           ".5",
                           "5.",
                           "-.5",
                           "+5",
                           " 5",
                           "5 ",
                           "1e2",
                           "1E2",
                           "1,5",
                           "1.2.3",
                           "--5",
                           "5-",
                           "0x10",
                           "NaN",
                           "Infinity",
                           "1.005",
                           "0.000",
                           "92233720368547758.08",
                           "-92233720368547758.09",
                           "92233720368547759",
                           "9223372036854775807",
                           "99999999999999999999999999999999999999"}) {
    const absl::Status status = ParseDecimal(text, 2, "price").status();
    EXPECT_EQ(ErrorReason(status), "INVALID_VALUE") << text;
    EXPECT_EQ(GetErrorDetail(status).field, "price") << text;
  }
  EXPECT_FALSE(ParseDecimal("1.0", 0).ok()) << "a yen has no parts";
}

TEST(Decimal, EveryAmountSurvivesTheRoundTrip) {
  std::mt19937_64 random(20260101);  // fixed, so that a failure comes again
  for (int i = 0; i < 100'000; ++i) {
    // Amounts of every length, both signs.
    const auto amount = static_cast<std::int64_t>(random()) >> (random() % 64);
    const int digits = static_cast<int>(random() % 4);
    const std::string text = FormatDecimal(amount, digits);
    const auto parsed = ParseDecimal(text, digits);
    ASSERT_TRUE(parsed.ok()) << text << ": " << parsed.status();
    ASSERT_EQ(*parsed, amount) << text;
  }
}

TEST(AddAmounts, NeverWraps) {
  EXPECT_EQ(AddAmounts(kMax - 1, 1).value(), kMax);
  EXPECT_EQ(AddAmounts(kMin, kMax).value(), -1);
  for (const auto& [a, b] :
       {std::pair{kMax, std::int64_t{1}}, {kMin, std::int64_t{-1}}, {kMin, kMin}, {kMax, kMax}}) {
    EXPECT_EQ(ErrorReason(AddAmounts(a, b).status()), "AMOUNT_TOO_LARGE") << a << " + " << b;
  }
}

TEST(MultiplyAmount, NeverWraps) {
  EXPECT_EQ(MultiplyAmount(2500, 2).value(), 5000);
  EXPECT_EQ(MultiplyAmount(kMin, 1).value(), kMin);
  EXPECT_EQ(MultiplyAmount(kMax, -1).value(), -kMax);
  for (const auto& [a, b] :
       {std::pair{kMax, std::int64_t{2}}, {kMin, std::int64_t{-1}}, {kMin, std::int64_t{2}}, {kMax, kMax}}) {
    EXPECT_EQ(ErrorReason(MultiplyAmount(a, b).status()), "AMOUNT_TOO_LARGE") << a << " · " << b;
  }
}

TEST(Currency, KnowsItsDigits) {
  EXPECT_EQ(CurrencyDigits("USD"), 2);
  EXPECT_EQ(CurrencyDigits("EUR"), 2);
  EXPECT_EQ(CurrencyDigits("JPY"), 0);
  EXPECT_EQ(CurrencyDigits("KWD"), 3);
  for (const char* code : {"", "US", "USDD", "usd", "XTS", "XAU", "DEM", "ZZZ"})
    EXPECT_EQ(CurrencyDigits(code), -1) << code;
}

TEST(Currency, ParsesWhatIsInUse) {
  EXPECT_EQ(Currency::Parse("USD").value().code(), "USD");
  EXPECT_EQ(Currency::Parse("USD").value(), Currency::Trusted("USD"));
  EXPECT_TRUE(Currency().empty());
  EXPECT_EQ(Currency().code(), "");
  const absl::Status status = Currency::Parse("usd", "variants[0].currency").status();
  EXPECT_EQ(ErrorReason(status), "INVALID_VALUE");
  EXPECT_EQ(GetErrorDetail(status).field, "variants[0].currency");
}

}  // namespace
}  // namespace bv
