// Events of orders for the tests of this folder.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "services/notification/domain/order_event.h"

namespace bv::notification {

inline constexpr std::uint64_t kPaidKind = 1;
inline constexpr std::uint64_t kStatusKind = 2;

inline absl::Time At(int seconds) {
  return absl::FromUnixSeconds(1'000'000 + seconds);
}

struct NewEvent {
  std::string order = "ord_1";
  std::int64_t version = 1;
  std::int64_t offset = 0;
  int partition = 0;
  std::uint64_t kind = kStatusKind;
  std::string user = "ada";
  int written_at = 100;
  std::string text = "{}";
};

inline OrderEventPtr Make(const NewEvent& event) {
  auto made = std::make_shared<OrderEvent>();
  made->tenant = "acme";
  made->order_id = event.order;
  made->user_id = event.user;
  made->version = event.version;
  made->kind = event.kind;
  made->completes_change = event.kind == kStatusKind;
  made->position = {.partition = event.partition, .offset = event.offset};
  made->written_at = At(event.written_at);
  made->text = event.text;
  return made;
}

// "3.1" for the paid event of version 3, "3.2" for the one that completes it.
inline std::vector<std::string> NamesOf(const std::vector<OrderEventPtr>& events) {
  std::vector<std::string> names;
  for (const OrderEventPtr& event : events)
    names.push_back(std::to_string(event->version) + "." + std::to_string(event->kind));
  return names;
}

}  // namespace bv::notification
