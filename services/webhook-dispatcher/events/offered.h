// The events that may be subscribed to.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "libs/events/envelope.h"

namespace bv::webhook {

// Whose events are read and sent on. Those of webhooks themselves are not among them: a subscriber that fails
// would be told of its failure by one more delivery that fails.
std::span<const std::string> OfferedTopics();
// The types of events that these topics hold by the contract, sorted.
std::span<const std::string> OfferedTypes();
// Those of them whose payload names a store.
std::span<const std::string> OfferedTypesOfStores();

// The store that an event is of: the one that its payload names, or the default one, if it is of a type that
// names one but was written before it did. Empty for an event that belongs to no store.
std::string_view StoreOf(const events::Envelope& event);

}  // namespace bv::webhook
