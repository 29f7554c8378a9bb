// How far a reader has come in the changes of one order.
#pragma once

#include <absl/container/inlined_vector.h>

#include <cstdint>

#include "services/notification/domain/order_event.h"

namespace bv::notification {

class Progress {
 public:
  // kNew: it is the next one, and noted. kSeen: it was there before, as after a relay that died and wrote
  // some messages twice. kGap: something between is missing.
  enum class Step { kNew, kSeen, kGap };
  Step Take(const OrderEvent& event);

  // All changes up to `version` are known.
  void Jump(std::int64_t version);
  std::int64_t version() const { return version_; }

 private:
  std::int64_t version_ = 0;
  bool complete_ = true;
  // Of the events of `version_`, while it is not known as a whole by Jump.
  absl::InlinedVector<std::uint64_t, 2> kinds_;
};

}  // namespace bv::notification
