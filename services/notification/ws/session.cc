#include "services/notification/ws/session.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "libs/base/clock.h"
#include "libs/base/error.h"
#include "libs/base/macros.h"

namespace bv::notification {
namespace {

namespace asio = boost::asio;
namespace close_code = http::close_code;

// Ours, among those that RFC 6455 leaves to applications.
constexpr std::uint16_t kTokenExpired = 4401;
constexpr std::uint16_t kTooSlow = 4008;

// Errors that are the client's own.
bool IsMistake(const absl::Status& status) {
  return !absl::IsUnavailable(status) && !absl::IsDeadlineExceeded(status) &&
         !absl::IsResourceExhausted(status);
}

// Nothing about the inside is told.
absl::Status ForClient(const absl::Status& status) {
  if (absl::IsInternal(status) || absl::IsUnknown(status) || absl::IsCancelled(status))
    return Error(absl::StatusCode::kInternal, "INTERNAL", "internal error; subscribe again");
  return status;
}

}  // namespace

Session::Session(Caller caller, Place place, SessionParts& parts)
    : caller_(std::move(caller)),
      place_(std::move(place)),
      parts_(parts),
      messages_(parts.settings.messages_per_second_max, parts.settings.messages_burst_max),
      queue_(static_cast<std::size_t>(parts.settings.send_messages_max),
             static_cast<std::size_t>(parts.settings.send_bytes_max)),
      heard_at_(MonotonicNow()),
      ping_at_(heard_at_ + parts.settings.ping_interval),
      expires_at_(heard_at_ + (caller_.expires_at - absl::Now())) {
  PlanSweep();
  parts_.metrics.connections.Increment();
  const std::lock_guard lock(parts_.mutex);
  parts_.open.insert(this);
}

Session::~Session() {
  parts_.metrics.connections.Decrement();
  const std::lock_guard lock(parts_.mutex);
  parts_.open.erase(this);
}

void Session::Begin(http::Takeover connection, const std::string& key, Caller caller, Place place,
                    SessionParts& parts) {
  http::WebSocket::Options options{
      .message_bytes_max = static_cast<std::size_t>(parts.settings.message_bytes_max),
      .protocol = caller.protocol};
  const auto session = std::make_shared<Session>(std::move(caller), std::move(place), parts);
  session->socket_.emplace(std::move(connection), options, session);
  session->socket_->Open(key);
}

void Session::OnOpen() {
  is_open_ = true;
  WriteNext();
}

// --- What the client asks for

void Session::OnText(std::string_view text) {
  heard_at_ = MonotonicNow();
  PlanSweep();
  parts_.metrics.messages_in.Increment();
  if (is_closing_ || is_leaving_) return;
  if (!messages_.TryTake(std::chrono::steady_clock::now())) {
    return Complain(
        Error(absl::StatusCode::kResourceExhausted, "TOO_MANY_MESSAGES", "send fewer messages a second"), {});
  }
  const absl::StatusOr<ClientMessage> message = ParseClientMessage(text);
  if (!message.ok()) return Complain(message.status(), {});
  if (absl::Status status = Handle(*message); !status.ok()) Complain(status, message->order_id);
}

void Session::OnBinary() {
  Close(close_code::kUnknownData, "text messages only");
}

absl::Status Session::Handle(const ClientMessage& message) {
  switch (message.type) {
    case ClientMessage::Type::kSubscribe:
      return Subscribe(message);
    case ClientMessage::Type::kUnsubscribe:
      return Unsubscribe(message);
    case ClientMessage::Type::kAck:
      parts_.metrics.acks.Increment();
      return absl::OkStatus();
  }
  return absl::OkStatus();
}

absl::Status Session::Subscribe(const ClientMessage& message) {
  if (message.order_id.empty() ? user_.has_value() : Find(message.order_id) != nullptr) {
    return Error(absl::StatusCode::kAlreadyExists, "ALREADY_SUBSCRIBED",
                 "unsubscribe before you subscribe anew");
  }
  if (message.order_id.empty()) return SubscribeUser(message.after_cursor);
  if (orders_.size() >= static_cast<std::size_t>(parts_.settings.subscriptions_max)) {
    return Error(absl::StatusCode::kFailedPrecondition, "TOO_MANY_SUBSCRIPTIONS",
                 "unsubscribe from another order, or subscribe to the channel me");
  }
  // First of all, so that no change falls between the answer of the order service and the events.
  parts_.hub.WatchOrder(message.order_id, shared_from_this());
  orders_.push_back(
      {.id = message.order_id, .number = ++subscriptions_, .feed = OrderFeed(message.after_version)});
  FetchNext();
  return absl::OkStatus();
}

absl::Status Session::SubscribeUser(const std::optional<Cursor>& after) {
  const RequestContext& context = caller_.context;
  Hub::Begun begun = parts_.hub.WatchUser(context.tenant.str(), context.user_id, after, shared_from_this());
  // What does not fit is not replayed: the client would be sent away in the midst of it, again and again.
  const bool fits =
      begun.missed && begun.missed->size() <= static_cast<std::size_t>(parts_.settings.send_messages_max) / 2;
  if (!fits) {
    parts_.metrics.resets.Increment();
    user_.emplace(begun.end);
    Put(UserResetMessage(begun.end.Text()));
    return absl::OkStatus();
  }
  const Cursor& from = after ? *after : begun.end;
  user_.emplace(from);
  Put(UserSubscribedMessage(from.Text()));
  for (const OrderEventPtr& event : *begun.missed) {
    // A replay that takes too many bytes closes the connection, as a slow reader's.
    Put(UserEventMessage(*event, user_->Replay(event->position)), event->occurred_at);
  }
  user_->EndReplay(begun.end);
  return absl::OkStatus();
}

absl::Status Session::Unsubscribe(const ClientMessage& message) {
  if (message.order_id.empty() ? !user_.has_value() : Find(message.order_id) == nullptr)
    return Error(absl::StatusCode::kNotFound, "NOT_SUBSCRIBED", "there is no such subscription");
  if (message.order_id.empty()) {
    parts_.hub.UnwatchUser(caller_.context.tenant.str(), caller_.context.user_id, *this);
    user_.reset();
    Put(UserUnsubscribedMessage());
  } else {
    Drop(message.order_id);
    Put(OrderUnsubscribedMessage(message.order_id));
  }
  return absl::OkStatus();
}

void Session::Complain(const absl::Status& status, std::string_view order_id) {
  parts_.metrics.errors.Increment();
  if (IsMistake(status) || ErrorReason(status) == "TOO_MANY_MESSAGES") ++errors_;
  Put(ErrorMessage(ForClient(status), order_id));
  if (errors_ > parts_.settings.errors_max) Close(close_code::kPolicy, "too many errors");
}

// --- Orders

Session::Order* Session::Find(std::string_view order_id) {
  const auto found = std::ranges::find(orders_, order_id, &Order::id);
  return found == orders_.end() ? nullptr : &*found;
}

void Session::FetchNext() {
  if (is_fetching_ || is_closing_ || is_leaving_) return;
  // One that fell behind has to wait until the client has taken all that was written.
  const bool is_idle = queue_.empty() && !writing_;
  const auto next = std::ranges::find_if(orders_, [is_idle](const Order& order) {
    return order.feed.phase() == OrderFeed::Phase::kWanted ||
           (order.feed.phase() == OrderFeed::Phase::kBehind && is_idle);
  });
  if (next == orders_.end()) return;
  is_fetching_ = true;
  next->feed.BeginFetch();
  asio::co_spawn(socket_->executor(), Fetch(shared_from_this(), next->id, next->number), asio::detached);
}

async::Task<void> Session::Fetch(std::shared_ptr<Session> self, std::string order_id, std::uint32_t number) {
  RequestContext context = self->caller_.context;
  context.stop = self->stop_.get_token();
  const absl::StatusOr<OrderState> state = co_await self->parts_.orders.Read(order_id, std::move(context));
  self->Fetched(order_id, number, state);
}

void Session::Fetched(std::string_view order_id, std::uint32_t number,
                      const absl::StatusOr<OrderState>& state) {
  is_fetching_ = false;
  if (is_closing_) return;
  Order* order = Find(order_id);
  // It may have been given up meanwhile, and begun anew.
  if (order != nullptr && order->number == number) {
    if (state.ok()) {
      Resume(*order, *state);
    } else {
      Drop(order_id);
      Complain(state.status(), order_id);
    }
  }
  FetchNext();
}

void Session::Resume(Order& order, const OrderState& state) {
  const std::int64_t after = order.feed.ResumesAfter(state.version);
  const OrderFeed::Resumption resumption =
      order.feed.Resume(state.version, state.changed_at, parts_.hub.OfOrder(order.id, after));
  if (resumption.snapshot) {
    parts_.metrics.snapshots.Increment();
    Put(order, OrderSnapshotMessage(state.version, state.json));
  } else {
    Put(order, OrderSubscribedMessage(order.id, after));
  }
  for (const OrderEventPtr& event : resumption.events)
    Put(order, OrderEventMessage(*event), event->occurred_at);
}

void Session::Drop(std::string_view order_id) {
  Order* order = Find(order_id);
  parts_.hub.UnwatchOrder(order->id, *this);
  queue_.DropOf(order->number);
  orders_.erase(orders_.begin() + (order - orders_.data()));
}

void Session::Put(Order& order, Text text, absl::Time occurred_at) {
  if (order.feed.phase() == OrderFeed::Phase::kBehind) return;
  if (queue_.Put({.text = std::move(text), .feed = order.number, .occurred_at = occurred_at}))
    return WriteNext();
  parts_.metrics.coalesced.Increment();
  queue_.DropOf(order.number);
  order.feed.FallBehind();
}

// --- What the hub hands over

void Session::OnOrderEvent(const Delivery& delivery) {
  asio::post(socket_->executor(), [self = shared_from_this(), delivery] {
    Order* order = self->Find(delivery.event->order_id);
    if (order == nullptr || self->is_closing_) return;
    if (order->feed.Take(*delivery.event)) self->Put(*order, delivery.message, delivery.event->occurred_at);
    self->FetchNext();
  });
}

void Session::OnUserEvent(const UserDelivery& delivery) {
  asio::post(socket_->executor(), [self = shared_from_this(), delivery] {
    if (!self->user_ || self->is_closing_) return;
    const TopicFeed::Sending sending = self->user_->Take(delivery.event->position, *delivery.end);
    if (!sending.is_new) return;
    self->Put(sending.seq ? UserEventMessage(*delivery.event, *sending.seq) : delivery.message,
              delivery.event->occurred_at);
  });
}

void Session::OnUserPosition(const std::shared_ptr<const Cursor>& end) {
  asio::post(socket_->executor(), [self = shared_from_this(), end] {
    if (!self->user_ || self->is_closing_) return;
    std::string position = self->user_->At(*end);
    if (position == self->user_position_) return;
    self->user_position_ = std::move(position);
    // It can wait for a client that has enough to read.
    if (self->queue_.Put({.text = UserPositionMessage(self->user_position_)})) self->WriteNext();
  });
}

// --- Writing

void Session::Put(Text text, absl::Time occurred_at) {
  if (is_closing_) return;
  if (!queue_.Put({.text = std::move(text), .occurred_at = occurred_at}))
    return Close(kTooSlow, "messages are read too slowly; subscribe again with the last seq as after");
  WriteNext();
}

void Session::WriteNext() {
  if (!is_open_ || writing_ || is_closing_) return;
  if (queue_.empty()) {
    if (is_leaving_) Close(close_code::kServiceRestart, "this server is going away");
    return;
  }
  Outgoing next = queue_.Take();
  writing_ = next.occurred_at;
  socket_->Write(std::move(next.text));
}

void Session::OnWritten() {
  parts_.metrics.messages_out.Increment();
  if (*writing_ != absl::InfinitePast())
    parts_.metrics.delay.Observe(absl::ToDoubleSeconds(absl::Now() - *writing_));
  writing_.reset();
  WriteNext();
  FetchNext();
}

void Session::OnControl() {
  heard_at_ = MonotonicNow();
  PlanSweep();
}

// --- The end

void Session::Close(std::uint16_t code, std::string_view reason) {
  if (is_closing_) return;
  is_closing_ = true;
  close_at_ = std::min(close_at_, MonotonicNow() + parts_.settings.close_timeout);
  PlanSweep();
  Detach();
  socket_->Close(code, reason);
}

void Session::Detach() {
  stop_.request_stop();
  queue_.Clear();
  for (const Order& order : orders_) parts_.hub.UnwatchOrder(order.id, *this);
  orders_.clear();
  if (user_) parts_.hub.UnwatchUser(caller_.context.tenant.str(), caller_.context.user_id, *this);
  user_.reset();
}

void Session::OnClosed(std::uint16_t code) {
  is_closing_ = true;
  Detach();
  parts_.metrics.Closed(code);
}

void Session::Leave(absl::Duration wait) {
  // Moved on, here and below: the last owner's end takes the lock that is held here.
  auto self = weak_from_this().lock();
  if (!self) return;
  asio::post(socket_->executor(), [self = std::move(self), wait] {
    if (self->is_closing_ || self->is_leaving_) return;
    self->close_at_ = MonotonicNow() + self->parts_.settings.close_timeout;
    self->PlanSweep();
    self->Put(ReconnectMessage(wait));
    self->is_leaving_ = true;
    self->WriteNext();
  });
}

void Session::Abort() {
  if (auto self = weak_from_this().lock())
    asio::post(socket_->executor(), [self = std::move(self)] { self->socket_->Abort(); });
}

void Session::Sweep(absl::Time now) {
  if (absl::ToUnixNanos(now) < sweep_at_.load(std::memory_order_relaxed)) return;
  // Null while the last owner is letting go.
  if (auto self = weak_from_this().lock())
    asio::post(socket_->executor(), [self = std::move(self), now] { self->SweepInStrand(now); });
}

void Session::SweepInStrand(absl::Time now) {
  if (now >= close_at_) return socket_->Abort();
  if (now >= expires_at_) Close(kTokenExpired, "the token has expired");
  if (now >= heard_at_ + parts_.settings.idle_timeout)
    Close(close_code::kGoingAway, "nothing was heard of the client");
  if (!is_closing_ && now >= ping_at_) {
    ping_at_ = now + parts_.settings.ping_interval;
    socket_->Ping();
    if (user_) parts_.hub.TellPosition(*this);
  }
  PlanSweep();
}

void Session::PlanSweep() {
  const absl::Time next =
      is_closing_ ? close_at_
                  : std::min({ping_at_, expires_at_, close_at_, heard_at_ + parts_.settings.idle_timeout});
  sweep_at_.store(absl::ToUnixNanos(next), std::memory_order_relaxed);
}

}  // namespace bv::notification
