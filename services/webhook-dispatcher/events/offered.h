// The events that may be subscribed to.
#pragma once

#include <span>
#include <string>

namespace bv::webhook {

// Whose events are read and sent on. Those of webhooks themselves are not among them: a subscriber that fails
// would be told of its failure by one more delivery that fails.
std::span<const std::string> OfferedTopics();
// The types of events that these topics hold by the contract, sorted.
std::span<const std::string> OfferedTypes();

}  // namespace bv::webhook
