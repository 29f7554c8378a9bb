#include "services/webhook-dispatcher/domain/verdict.h"

namespace bv::webhook {

Verdict VerdictOf(int status) {
  if (status >= 200 && status <= 299) return Verdict::kDelivered;
  switch (status) {
    case 410:
      return Verdict::kGone;
    case 429:
    case 502:
    case 503:
    case 504:
      return Verdict::kThrottled;
    default:
      return Verdict::kFailed;
  }
}

}  // namespace bv::webhook
