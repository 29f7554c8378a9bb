// What is made of a text that somebody searches for, and the steps by which prices are counted; pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bv::product {

struct SearchWords {
  // For websearch_to_tsquery; empty when the text has no word.
  std::string text;
  // Whether the last word may be only begun: nothing behind it says that it is whole.
  bool is_last_begun = false;
};

// Blanks in place of all signs of ASCII, as in the index (`parted` in migrations/0006_search.sql), but for
// quotes and for a minus in front of a word or a quote.
SearchWords WordsOf(std::string_view typed);

// `text` as one word of a tsquery, whatever is in it: 'it''s'.
std::string QuotedWord(std::string_view text);
// ( 'a' | 'b' ) of words that are quoted already; at least one.
std::string AnyOf(const std::vector<std::string>& words);

// 1, 2, 5, 10, 20, 50, … in minor units, up to kAmountMax.
const std::vector<std::int64_t>& PriceSteps();

}  // namespace bv::product
