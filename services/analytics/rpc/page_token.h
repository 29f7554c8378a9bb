// A page token is the key of the last row of the page before, encoded so that nobody builds on its form.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <vector>

namespace bv::analytics {

// The parts hold no control characters.
std::string ToPageToken(const std::vector<std::string>& key);
// As many empty parts for an empty token. INVALID_ARGUMENT for what ToPageToken has not made.
absl::StatusOr<std::vector<std::string>> FromPageToken(const std::string& token, std::size_t parts);

}  // namespace bv::analytics
