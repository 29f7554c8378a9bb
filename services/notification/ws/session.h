// One client of /ws/orders, from its handshake to its end.
#pragma once

#include <absl/container/flat_hash_set.h>
#include <absl/container/inlined_vector.h>
#include <absl/time/time.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "libs/async/task.h"
#include "libs/http/websocket.h"
#include "libs/resilience/token_bucket.h"
#include "services/notification/domain/connection_limits.h"
#include "services/notification/domain/order_feed.h"
#include "services/notification/domain/send_queue.h"
#include "services/notification/domain/topic_feed.h"
#include "services/notification/hub/hub.h"
#include "services/notification/hub/order_reader.h"
#include "services/notification/ws/client_message.h"
#include "services/notification/ws/handshake.h"
#include "services/notification/ws/metrics.h"
#include "services/notification/ws/settings.h"

namespace bv::notification {

class Session;

// What all sessions share; outlives the last of them.
struct SessionParts {
  const WebSocketSettings settings;
  Hub& hub;
  OrderReader& orders;
  SessionMetrics metrics;

  std::mutex mutex;
  // Guarded by `mutex`.
  absl::flat_hash_set<Session*> open;
};

// But for Sweep, Leave, Abort and what the hub calls, everything happens in the connection's strand.
class Session final : public http::WebSocket::Listener,
                      public Subscriber,
                      public std::enable_shared_from_this<Session> {
 public:
  using Place = std::shared_ptr<ConnectionLimits::Place>;

  // Begins; the session lives until its connection has ended.
  static void Begin(http::Takeover connection, const std::string& key, Caller caller, Place place,
                    SessionParts& parts);
  Session(Caller caller, Place place, SessionParts& parts);
  ~Session() override;

  // --- From any thread

  // Pings, and ends what is over: the token's life, the client's silence, the wait for its close frame.
  void Sweep(absl::Time now);
  // Tells the client to come back after `wait`, to whichever replica there is, and closes.
  void Leave(absl::Duration wait);
  void Abort();
  void OnOrderEvent(const Delivery& delivery) override;
  void OnUserEvent(const UserDelivery& delivery) override;
  void OnUserPosition(const std::shared_ptr<const Cursor>& end) override;

 private:
  struct Order {
    std::string id;
    // Of this subscription, among those of the session; 0 is none.
    std::uint32_t number = 0;
    OrderFeed feed;
  };

  // --- Of the WebSocket
  void OnOpen() override;
  void OnText(std::string_view text) override;
  void OnBinary() override;
  void OnControl() override;
  void OnWritten() override;
  void OnClosed(std::uint16_t code) override;

  // --- What the client asks for
  absl::Status Handle(const ClientMessage& message);
  absl::Status Subscribe(const ClientMessage& message);
  absl::Status SubscribeUser(const std::optional<Cursor>& after);
  absl::Status Unsubscribe(const ClientMessage& message);
  void Complain(const absl::Status& status, std::string_view order_id);

  // --- Orders
  Order* Find(std::string_view order_id);
  // Asks for the next order that is wanted, one at a time.
  void FetchNext();
  static async::Task<void> Fetch(std::shared_ptr<Session> self, std::string order_id, std::uint32_t number);
  void Fetched(std::string_view order_id, std::uint32_t number, const absl::StatusOr<OrderState>& state);
  void Resume(Order& order, const OrderState& state);
  void Drop(std::string_view order_id);
  // To the order's subscription; it falls behind when there is no room.
  void Put(Order& order, Text text, absl::Time occurred_at = absl::InfinitePast());

  // To the client; closes when there is no room.
  void Put(Text text, absl::Time occurred_at = absl::InfinitePast());
  void WriteNext();
  void SweepInStrand(absl::Time now);
  void PlanSweep();
  void Close(std::uint16_t code, std::string_view reason);
  // Nothing more is delivered or fetched.
  void Detach();

  const Caller caller_;
  const Place place_;
  SessionParts& parts_;
  std::optional<http::WebSocket> socket_;
  resilience::TokenBucket messages_;

  absl::InlinedVector<Order, 1> orders_;
  std::optional<TopicFeed> user_;
  std::string user_position_;
  std::uint32_t subscriptions_ = 0;
  bool is_fetching_ = false;
  std::stop_source stop_;

  SendQueue queue_;
  // When the event that is being written happened; absent when nothing is.
  std::optional<absl::Time> writing_;
  int errors_ = 0;
  bool is_open_ = false;
  // Set by Leave: close once all that waits is written.
  bool is_leaving_ = false;
  bool is_closing_ = false;

  // All of the monotonic clock.
  absl::Time heard_at_;
  absl::Time ping_at_;
  absl::Time expires_at_;
  absl::Time close_at_ = absl::InfiniteFuture();
  // Of these the next, in nanoseconds, for Sweep.
  std::atomic<std::int64_t> sweep_at_{0};
};

}  // namespace bv::notification
