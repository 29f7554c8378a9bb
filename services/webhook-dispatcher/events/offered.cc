#include "services/webhook-dispatcher/events/offered.h"

#include <absl/strings/match.h>

#include <algorithm>
#include <iterator>
#include <vector>

#include "libs/base/store.h"
#include "libs/events/schemas.h"

namespace bv::webhook {
namespace {

// The topic of a type is its name without the last two parts.
std::string_view TopicOf(std::string_view type) {
  for (int parts = 0; parts < 2; ++parts) type = type.substr(0, type.rfind('.'));
  return type;
}

constexpr std::string_view kStoreMember = "storeCode";

}  // namespace

std::span<const std::string> OfferedTopics() {
  static const std::vector<std::string> topics = {"ecommerce.inventory.stock", "ecommerce.order.order",
                                                  "ecommerce.payment.payment", "ecommerce.pricing.flash_sale",
                                                  "ecommerce.pricing.price",   "ecommerce.product.product"};
  return topics;
}

std::span<const std::string> OfferedTypes() {
  static const std::vector<std::string> types = [] {
    std::vector<std::string> found;
    for (const events::SchemaText& schema : events::SchemaTexts()) {
      if (std::ranges::find(OfferedTopics(), TopicOf(schema.type)) != OfferedTopics().end())
        found.emplace_back(schema.type);
    }
    return found;
  }();
  return types;
}

std::span<const std::string> OfferedTypesOfStores() {
  static const std::vector<std::string> types = [] {
    std::vector<std::string> found;
    std::ranges::copy_if(OfferedTypes(), std::back_inserter(found),
                         [](const std::string& type) { return events::PayloadHas(type, kStoreMember); });
    return found;
  }();
  return types;
}

std::string_view StoreOf(const events::Envelope& event) {
  const std::string_view named = event.PayloadText(kStoreMember);
  if (!named.empty()) return named;
  const std::span<const std::string> of_stores = OfferedTypesOfStores();
  return std::ranges::find(of_stores, event.type()) != of_stores.end() ? kDefaultStore : std::string_view();
}

}  // namespace bv::webhook
