#include "services/webhook-dispatcher/domain/event_pattern.h"

#include <absl/strings/str_join.h>

#include <algorithm>
#include <set>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"

namespace bv::webhook {

bool Matches(std::string_view pattern, std::string_view event_type) {
  if (!pattern.ends_with('*')) return pattern == event_type;
  pattern.remove_suffix(1);
  return event_type.starts_with(pattern);
}

absl::Status CheckPattern(std::string_view pattern, std::span<const std::string> offered,
                          std::string_view field) {
  const bool is_known =
      std::ranges::any_of(offered, [pattern](const std::string& type) { return Matches(pattern, type); });
  if (is_known) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, "EVENT_TYPE_UNKNOWN",
               Concat("must be one of these types, or the beginning of some with a * behind it: ",
                      absl::StrJoin(offered, ", ")),
               field);
}

absl::Status CheckPatterns(const std::vector<std::string>& patterns, std::span<const std::string> offered,
                           std::string_view field) {
  if (patterns.empty() || patterns.size() > kPatternsMax)
    return InvalidValue(field, Concat("must be 1 to ", kPatternsMax));
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    const std::string name = Concat(field, "[", i, "]");
    RETURN_IF_ERROR(CheckPattern(patterns[i], offered, name));
    if (!seen.insert(patterns[i]).second) return InvalidValue(name, "is there already");
  }
  return absl::OkStatus();
}

absl::Status CheckAreOfStores(const std::vector<std::string>& patterns, std::span<const std::string> offered,
                              std::span<const std::string> of_stores, std::string_view field) {
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    for (const std::string& type : offered) {
      if (!Matches(patterns[i], type) || std::ranges::find(of_stores, type) != of_stores.end()) continue;
      return Error(absl::StatusCode::kInvalidArgument, "EVENT_TYPE_WITHOUT_STORE",
                   Concat("takes in ", type,
                          ", which is of no store; a subscription of stores gets events of "
                          "these types only: ",
                          absl::StrJoin(of_stores, ", ")),
                   Concat(field, "[", i, "]"));
    }
  }
  return absl::OkStatus();
}

}  // namespace bv::webhook
