#include "services/product/domain/search_words.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "libs/base/money.h"

namespace bv::product {
namespace {

struct Case {
  std::string typed;
  std::string text;
  bool is_last_begun;
};

TEST(SearchWords, AreWhatTheIndexKnows) {
  const Case cases[] = {
      {"", "", false},
      {"tent", "tent", true},
      {"red tent ", "red tent ", false},
      {"TENT-2p", "TENT 2p", true},
      {"tent -red", "tent -red", false},
      {"-red", "-red", false},
      {"--red", "  red", true},
      {"tent - red", "tent   red", true},
      {"\"two man\" te", "\"two man\" te", true},
      {"\"two ma", "\"two ma", false},
      {"\"two man\"", "\"two man\"", false},
      {"-\"two man\"", "-\"two man\"", false},
      {"l'été", "l été", true},
      {"' & | ! ( <->", "", false},
      {"\"\" - :*", "", false},
      {"a:* & !b", "a      b", true},
      {"'; DROP TABLE product; --", "   DROP TABLE product    ", false},
      {"tent\\", "tent ", false},
  };
  for (const Case& each : cases) {
    const SearchWords words = WordsOf(each.typed);
    EXPECT_EQ(words.text, each.text) << each.typed;
    EXPECT_EQ(words.is_last_begun, each.is_last_begun) << each.typed;
  }
}

TEST(SearchWords, AQuotedWordIsOneWord) {
  EXPECT_EQ(QuotedWord("=a=color:red"), "'=a=color:red'");
  EXPECT_EQ(QuotedWord("it's \\ ' | '"), "'it''s \\\\ '' | '''");
  EXPECT_EQ(AnyOf({"'a'"}), "( 'a' )");
  EXPECT_EQ(AnyOf({"'a'", "'b'"}), "( 'a' | 'b' )");
}

TEST(PriceSteps, GoUpToTheHighestAmount) {
  const auto& steps = PriceSteps();
  EXPECT_EQ(std::vector<std::int64_t>(steps.begin(), steps.begin() + 7),
            (std::vector<std::int64_t>{1, 2, 5, 10, 20, 50, 100}));
  EXPECT_EQ(steps.back(), kAmountMax);
  EXPECT_TRUE(std::ranges::is_sorted(steps));
}

}  // namespace
}  // namespace bv::product
