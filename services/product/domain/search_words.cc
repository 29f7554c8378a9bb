#include "services/product/domain/search_words.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_replace.h>

#include <algorithm>

#include "libs/base/money.h"
#include "libs/base/strings.h"

namespace bv::product {
namespace {

bool IsOfWord(char c) {
  return !absl::ascii_isascii(static_cast<unsigned char>(c)) ||
         absl::ascii_isalnum(static_cast<unsigned char>(c));
}

// A minus that excludes what follows it.
bool IsMinus(std::string_view text, std::size_t at) {
  const bool is_begin = at == 0 || text[at - 1] == ' ';
  return text[at] == '-' && is_begin && at + 1 < text.size() &&
         (IsOfWord(text[at + 1]) || text[at + 1] == '"');
}

}  // namespace

SearchWords WordsOf(std::string_view typed) {
  SearchWords words;
  words.text.reserve(typed.size());
  for (std::size_t i = 0; i < typed.size(); ++i) {
    const bool stays = IsOfWord(typed[i]) || typed[i] == '"' || IsMinus(typed, i);
    words.text += stays ? typed[i] : ' ';
  }
  if (std::ranges::none_of(words.text, IsOfWord)) return {};
  const std::size_t last = words.text.find_last_of(" \"") + 1;
  const bool is_quoted = std::ranges::count(words.text, '"') % 2 == 1;
  words.is_last_begun = last < words.text.size() && words.text[last] != '-' && !is_quoted;
  return words;
}

std::string QuotedWord(std::string_view text) {
  return Concat("'", absl::StrReplaceAll(Absl(text), {{"'", "''"}, {"\\", "\\\\"}}), "'");
}

std::string AnyOf(const std::vector<std::string>& words) {
  return Concat("( ", absl::StrJoin(words, " | "), " )");
}

const std::vector<std::int64_t>& PriceSteps() {
  static const std::vector<std::int64_t> steps = [] {
    std::vector<std::int64_t> made;
    for (std::int64_t decade = 1; decade <= kAmountMax; decade *= 10) {
      for (const std::int64_t step : {decade, 2 * decade, 5 * decade}) {
        if (step <= kAmountMax) made.push_back(step);
      }
    }
    return made;
  }();
  return steps;
}

}  // namespace bv::product
