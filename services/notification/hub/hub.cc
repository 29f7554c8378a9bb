#include "services/notification/hub/hub.h"

#include <algorithm>
#include <optional>

#include "libs/base/strings.h"
#include "libs/events/handling_spans.h"
#include "libs/telemetry/telemetry.h"
#include "services/notification/hub/read_events.h"

namespace bv::notification {
namespace {

std::string UserKey(std::string_view tenant, std::string_view user_id) {
  return Concat(tenant, "/", user_id);
}

struct HubMetrics {
  prometheus::Counter& read =
      telemetry::Counter("notification_events_total", "Events read from Kafka.", {{"of", "orders"}});
  prometheus::Counter& repeated = telemetry::Counter("notification_events_repeated_total",
                                                     "Events that were there before, at another offset.");
  prometheus::Counter& unreadable = telemetry::Counter(
      "notification_events_unreadable_total", "Messages that are no event, passed over.", {{"of", "orders"}});
  prometheus::Gauge& events =
      telemetry::Gauge("notification_window_events", "Events that are kept in memory.");
  prometheus::Gauge& bytes = telemetry::Gauge("notification_window_bytes", "What they take.");
};

HubMetrics& Metrics() {
  static HubMetrics metrics;
  return metrics;
}

}  // namespace

void HubSettings::Bind(config::Binder& b) {
  b.Duration("hub.window", window, {absl::Seconds(1), absl::Hours(24)});
  b.Integer("hub.window_bytes_max", window_bytes_max, {1 << 20, std::int64_t{16} << 30});
}

Hub::Hub(const HubSettings& settings, absl::Time since)
    : window_(settings.window, settings.window_bytes_max, since) {}

void Hub::Begin(int partition, std::int64_t offset) {
  const std::lock_guard lock(mutex_);
  window_.Begin(partition, offset);
}

void Hub::Handle(std::span<const kafka::Message> messages) {
  for (const kafka::Message& message : messages) {
    std::optional<telemetry::Span> span = events::HandlingSpan("notification", message);
    absl::StatusOr<OrderEventPtr> event = ReadOrderEvent(message);
    const std::lock_guard lock(mutex_);
    if (!event.ok()) {
      if (span) span->Fail(event.status());
      Metrics().unreadable.Increment();
      telemetry::LogLimited(telemetry::Level::kError, "a message is no event of an order",
                            {{"topic", message.topic},
                             {"partition", message.partition},
                             {"offset", message.offset},
                             {"error", event.status()}});
      window_.Pass({.partition = message.partition, .offset = message.offset});
      continue;
    }
    Metrics().read.Increment();
    if (window_.Add(*event)) {
      Publish(*event);
    } else {
      Metrics().repeated.Increment();
    }
  }
  Sweep();
}

void Hub::Publish(const OrderEventPtr& event) const {
  if (const auto found = orders_.find(event->order_id); found != orders_.end()) {
    const Delivery delivery{.event = event, .message = OrderEventMessage(*event)};
    for (const auto& subscriber : found->second) subscriber->OnOrderEvent(delivery);
  }
  if (const auto found = users_.find(UserKey(event->tenant, event->user_id)); found != users_.end()) {
    auto end = std::make_shared<const Cursor>(window_.end());
    const UserDelivery delivery{
        .event = event, .message = UserEventMessage(*event, end->Text()), .end = std::move(end)};
    for (const auto& subscriber : found->second) subscriber->OnUserEvent(delivery);
  }
}

void Hub::Sweep() {
  const std::lock_guard lock(mutex_);
  window_.Trim(absl::Now());
  Metrics().events.Set(static_cast<double>(window_.size()));
  Metrics().bytes.Set(static_cast<double>(window_.bytes()));
}

void Hub::WatchOrder(const std::string& order_id, std::shared_ptr<Subscriber> subscriber) {
  const std::lock_guard lock(mutex_);
  orders_[order_id].push_back(std::move(subscriber));
}

void Hub::UnwatchOrder(const std::string& order_id, const Subscriber& subscriber) {
  const std::lock_guard lock(mutex_);
  Remove(orders_, order_id, subscriber);
}

OrderPast Hub::OfOrder(std::string_view order_id, std::int64_t version) const {
  const std::lock_guard lock(mutex_);
  return window_.OfOrder(order_id, version);
}

Hub::Begun Hub::WatchUser(const std::string& tenant, const std::string& user_id,
                          const std::optional<Cursor>& after, std::shared_ptr<Subscriber> subscriber) {
  const std::lock_guard lock(mutex_);
  users_[UserKey(tenant, user_id)].push_back(std::move(subscriber));
  Begun begun{.end = window_.end(), .missed = std::vector<OrderEventPtr>()};
  if (after) begun.missed = window_.OfUser(tenant, user_id, *after);
  return begun;
}

void Hub::UnwatchUser(const std::string& tenant, const std::string& user_id, const Subscriber& subscriber) {
  const std::lock_guard lock(mutex_);
  Remove(users_, UserKey(tenant, user_id), subscriber);
}

void Hub::TellPosition(Subscriber& subscriber) const {
  const std::lock_guard lock(mutex_);
  subscriber.OnUserPosition(std::make_shared<const Cursor>(window_.end()));
}

void Hub::Remove(Watched& watched, const std::string& key, const Subscriber& subscriber) {
  const auto found = watched.find(key);
  if (found == watched.end()) return;
  const auto its =
      std::ranges::find_if(found->second, [&](const auto& one) { return one.get() == &subscriber; });
  if (its == found->second.end()) return;
  found->second.erase(its);
  if (found->second.empty()) watched.erase(found);
}

}  // namespace bv::notification
