#include "services/notification/domain/send_queue.h"

#include <utility>

namespace bv::notification {

bool SendQueue::Put(Outgoing message) {
  const std::size_t bytes = message.text->size();
  if (!messages_.empty() && (messages_.size() >= messages_max_ || bytes_ + bytes > bytes_max_)) return false;
  bytes_ += bytes;
  messages_.push_back(std::move(message));
  return true;
}

Outgoing SendQueue::Take() {
  Outgoing message = std::move(messages_.front());
  messages_.pop_front();
  bytes_ -= message.text->size();
  return message;
}

std::size_t SendQueue::DropOf(std::uint32_t feed) {
  return std::erase_if(messages_, [this, feed](const Outgoing& message) {
    if (message.feed != feed) return false;
    bytes_ -= message.text->size();
    return true;
  });
}

void SendQueue::Clear() {
  messages_.clear();
  bytes_ = 0;
}

}  // namespace bv::notification
