// What a change has changed, told without personal data.
#pragma once

#include <absl/status/statusor.h>
#include <google/protobuf/message.h>

#include <cstddef>
#include <string>

namespace bv::audit {

// Larger texts are replaced, see Compare.
inline constexpr std::size_t kValuesBytesMax = 8 << 10;

// The texts of two JSON objects; empty where there was nothing, or is nothing any more.
struct Difference {
  std::string before;
  std::string after;

  bool empty() const { return before.empty() && after.empty(); }
};

// The fields that differ, as they were and as they are, in the API's own JSON (libs/json). Fields of messages
// are compared one by one, lists as a whole. Either message may be null; both are of one type otherwise. The
// text of a field with the option `personal` is "(personal)", and "(personal, changed)" where it was another.
// What would be larger than kValuesBytesMax is {"tooLong": <bytes>, "sha256": "…"} of the text that it would
// have been. INTERNAL as of json::Append.
absl::StatusOr<Difference> Compare(const google::protobuf::Message* before,
                                   const google::protobuf::Message* after);

}  // namespace bv::audit
