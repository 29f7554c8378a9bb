// The spans of events that a handler has in its hands.
#pragma once

#include <absl/status/status.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "libs/events/envelope.h"
#include "libs/telemetry/telemetry.h"

namespace bv::events {

// The span of one message that is handled by itself; absent when its trace is not sampled. `consumer` is what
// the tree calls the one who handles: its group.
std::optional<telemetry::Span> HandlingSpan(std::string_view consumer, const kafka::Message& message);

// A span for each event of a sampled trace, however many others are in the batch; none for the rest, which it
// costs a look at a flag. As long as they are open, the events' contexts are those of the spans, so that what
// the handler does for an event hangs below it; then they are as they were. Used by one thread.
class HandlingSpans {
 public:
  // The events outlive the spans.
  HandlingSpans(std::string_view consumer, std::span<Event> events);
  // Ends them.
  ~HandlingSpans();
  HandlingSpans(const HandlingSpans&) = delete;
  HandlingSpans& operator=(const HandlingSpans&) = delete;

  // The batch failed as a whole.
  void Fail(const absl::Status& status);
  // The event at this place of the batch did.
  void Fail(std::size_t index, const absl::Status& status);

 private:
  struct Open {
    std::size_t index;
    Event& event;
    TraceContext parent;
    telemetry::Span span;
  };
  // Null for most batches.
  std::unique_ptr<std::vector<Open>> open_;
};

}  // namespace bv::events
