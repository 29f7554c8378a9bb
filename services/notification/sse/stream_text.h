// The text of an event stream (https://html.spec.whatwg.org/multipage/server-sent-events.html).
#pragma once

#include <absl/time/time.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "services/notification/domain/sales.h"

namespace bv::notification {

// Shared by all who are sent the same.
using Text = std::shared_ptr<const std::string>;

// Status line and headers. `allowed_origin` is the page that may read it; empty: none but those of the same
// host.
std::string StreamHead(std::string_view allowed_origin);
void AppendRetry(absl::Duration retry, std::string& out);
// `event: snapshot`, with the events that started what runs.
void AppendSnapshot(const std::vector<SaleEventPtr>& running, std::string_view id, std::string& out);
// `event: started` or `ended`, its data the envelope.
void AppendSale(const SaleEvent& event, std::string_view id, std::string& out);
// A comment.
std::string_view Heartbeat();

}  // namespace bv::notification
