// Which events a subscription wants: "ecommerce.order.order.paid.v1", or the beginning of types with a "*"
// for the rest, "ecommerce.order.*". Pure.
#pragma once

#include <absl/status/status.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bv::webhook {

constexpr std::size_t kPatternsMax = 50;

bool Matches(std::string_view pattern, std::string_view event_type);

// INVALID_ARGUMENT unless there are 1 to 50, all different, and each matches at least one of the types that
// are `offered`: reason EVENT_TYPE_UNKNOWN, with the list of them, for one that does not, as one that is
// mistyped.
absl::Status CheckPatterns(const std::vector<std::string>& patterns, std::span<const std::string> offered,
                           std::string_view field);
// The same of one.
absl::Status CheckPattern(std::string_view pattern, std::span<const std::string> offered,
                          std::string_view field);
// INVALID_ARGUMENT, reason EVENT_TYPE_WITHOUT_STORE, names the first that matches a type that is `offered`
// and not among those `of_stores`: whoever asks for the events of a store is to get none of another's, nor to
// believe that it gets what it does not.
absl::Status CheckAreOfStores(const std::vector<std::string>& patterns, std::span<const std::string> offered,
                              std::span<const std::string> of_stores, std::string_view field);

}  // namespace bv::webhook
