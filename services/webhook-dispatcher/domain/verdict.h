// What the answer to an attempt means. Pure.
#pragma once

#include <string_view>

namespace bv::webhook {

enum class Verdict {
  kDelivered,
  kFailed,
  // Failed; what the receiver says about when to come back counts.
  kThrottled,
  // The receiver wants nothing any more.
  kGone,
};

// Of an answer's status: 2xx is a success, and a redirect, which is never followed, is a failure as any other
// is. 0, no answer: failed.
Verdict VerdictOf(int status);

// Why an attempt failed, as in rows and events, when an answer came in time.
inline constexpr std::string_view kStatusClass = "STATUS";

}  // namespace bv::webhook
