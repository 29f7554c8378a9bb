#include "services/notification/domain/window.h"

#include <algorithm>

#include "libs/base/strings.h"

namespace bv::notification {
namespace {

// Of an event beside its text: itself, its places in the window and in the maps.
constexpr std::int64_t kOverhead = 1'024;

// The events of a change are written together, so those of one are not further apart.
constexpr absl::Duration kChangeSpan = absl::Seconds(10);

std::int64_t BytesOf(const OrderEvent& event) {
  return static_cast<std::int64_t>(event.text.size()) + kOverhead;
}

}  // namespace

std::string Window::UserKey(std::string_view tenant, std::string_view user_id) {
  return Concat(tenant, "/", user_id);
}

void Window::Begin(int partition, std::int64_t offset) {
  if (offset == 0) return;
  const Position before{.partition = partition, .offset = offset - 1};
  begin_.Advance(before);
  end_.Advance(before);
}

bool Window::Add(OrderEventPtr event) {
  const Position at = event->position;
  if (end_.Next(at.partition) == 0) Begin(at.partition, at.offset);
  end_.Advance(at);
  const auto [found, is_new] = orders_.try_emplace(event->order_id);
  Trail& trail = found->second;
  if (is_new) {
    trail.whole_from = BeginsWhole(*event) ? event->version : event->version + 1;
    trail.progress.Jump(event->version - 1);
  }
  switch (trail.progress.Take(*event)) {
    case Progress::Step::kSeen:
      return false;
    case Progress::Step::kGap:
      trail.progress.Jump(event->version - 1);
      trail.progress.Take(*event);
      trail.whole_from = event->version + 1;
      break;
    case Progress::Step::kNew:
      break;
  }
  bytes_ += BytesOf(*event);
  trail.events.push_back(event);
  users_[UserKey(event->tenant, event->user_id)].push_back(event);
  events_.push_back(std::move(event));
  return true;
}

bool Window::BeginsWhole(const OrderEvent& event) const {
  return event.version == 1 || event.written_at > forgotten_until_ + kChangeSpan;
}

void Window::Trim(absl::Time now) {
  while (!events_.empty() && (bytes_ > bytes_max_ || events_.front()->written_at < now - keep_)) DropOldest();
}

void Window::DropOldest() {
  const OrderEventPtr event = std::move(events_.front());
  events_.pop_front();
  bytes_ -= BytesOf(*event);
  begin_.Advance(event->position);
  forgotten_until_ = std::max(forgotten_until_, event->written_at);
  // It is the oldest of its order and of its user, too.
  const auto order = orders_.find(event->order_id);
  order->second.events.erase(order->second.events.begin());
  order->second.whole_from = std::max(order->second.whole_from, event->version + 1);
  if (order->second.events.empty()) orders_.erase(order);
  const auto user = users_.find(UserKey(event->tenant, event->user_id));
  user->second.pop_front();
  if (user->second.empty()) users_.erase(user);
}

OrderPast Window::OfOrder(std::string_view order_id, std::int64_t version) const {
  OrderPast past{.whole_since = forgotten_until_ + kChangeSpan};
  const auto order = orders_.find(Absl(order_id));
  if (order == orders_.end()) return past;
  const Trail& trail = order->second;
  past.is_whole = trail.whole_from <= version + 1;
  const std::int64_t from = std::max(version + 1, trail.whole_from);
  for (const OrderEventPtr& event : trail.events) {
    if (event->version >= from) past.events.push_back(event);
  }
  return past;
}

std::optional<std::vector<OrderEventPtr>> Window::OfUser(std::string_view tenant, std::string_view user_id,
                                                         const Cursor& cursor) const {
  if (!cursor.IsReachedBy(begin_, end_)) return std::nullopt;
  std::vector<OrderEventPtr> found;
  const auto user = users_.find(UserKey(tenant, user_id));
  if (user == users_.end()) return found;
  for (const OrderEventPtr& event : user->second) {
    if (!cursor.Has(event->position)) found.push_back(event);
  }
  return found;
}

}  // namespace bv::notification
