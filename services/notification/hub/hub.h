// Where the events of orders come in and go to whoever has asked for them. Each replica reads the whole topic
// itself, so that a client may be connected to any of them.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/container/inlined_vector.h>
#include <absl/time/time.h>

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libs/config/config.h"
#include "libs/kafka/consumer.h"
#include "services/notification/domain/window.h"
#include "services/notification/hub/messages.h"

namespace bv::notification {

struct HubSettings {
  // How long an event stays in memory, for clients that come back.
  absl::Duration window;
  // Of those events.
  std::int64_t window_bytes_max = 0;

  void Bind(config::Binder& b);  // hub.window, hub.window_bytes_max
};

// An event on its way to a subscriber.
struct Delivery {
  OrderEventPtr event;
  Text message;
};

struct UserDelivery {
  OrderEventPtr event;
  // With the hub's cursor.
  Text message;
  // The hub's cursor behind the event.
  std::shared_ptr<const Cursor> end;
};

// Called with the hub's lock held, one after the other: hands over to its own thread and returns.
class Subscriber {
 public:
  virtual ~Subscriber() = default;
  virtual void OnOrderEvent(const Delivery& delivery) = 0;
  virtual void OnUserEvent(const UserDelivery& delivery) = 0;
  // All of the user's events up to `end` were handed over.
  virtual void OnUserPosition(const std::shared_ptr<const Cursor>& end) = 0;
};

// Thread safe.
class Hub {
 public:
  // It is given all that was written from `since` on.
  Hub(const HubSettings& settings, absl::Time since);
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  // For the follower, which begins in this partition with this offset; and its messages, in their order.
  void Begin(int partition, std::int64_t offset);
  void Handle(std::span<const kafka::Message> messages);
  // Forgets what is too old; to be called now and then.
  void Sweep();

  // From when this returns every event of the order is handed to `subscriber`.
  void WatchOrder(const std::string& order_id, std::shared_ptr<Subscriber> subscriber);
  void UnwatchOrder(const std::string& order_id, const Subscriber& subscriber);
  // What the window knows of the order's changes behind `version`.
  OrderPast OfOrder(std::string_view order_id, std::int64_t version) const;

  struct Begun {
    // The hub's cursor; events behind it are handed over.
    Cursor end;
    // Those of the user's events between `after` and `end`; absent when the window does not reach so far
    // back.
    std::optional<std::vector<OrderEventPtr>> missed;
  };
  // The same for all orders of a user, for one that has all up to `after`.
  Begun WatchUser(const std::string& tenant, const std::string& user_id, const std::optional<Cursor>& after,
                  std::shared_ptr<Subscriber> subscriber);
  void UnwatchUser(const std::string& tenant, const std::string& user_id, const Subscriber& subscriber);
  // Calls OnUserPosition.
  void TellPosition(Subscriber& subscriber) const;

 private:
  using Subscribers = absl::InlinedVector<std::shared_ptr<Subscriber>, 1>;
  using Watched = absl::flat_hash_map<std::string, Subscribers>;
  static void Remove(Watched& watched, const std::string& key, const Subscriber& subscriber);
  // With the lock held.
  void Publish(const OrderEventPtr& event) const;

  mutable std::mutex mutex_;
  Window window_;
  Watched orders_;
  // By tenant and user.
  Watched users_;
};

}  // namespace bv::notification
