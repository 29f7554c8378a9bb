#include "services/notification/domain/topic_feed.h"

namespace bv::notification {

std::string TopicFeed::Replay(Position position) {
  at_->Advance(position);
  return at_->Text();
}

TopicFeed::Sending TopicFeed::Take(Position position, const Cursor& end) {
  if (at_ && at_->Has(position)) return {.is_new = false};
  Settle(end);
  if (!at_) return {};
  return {.is_new = true, .seq = at_->Text()};
}

std::string TopicFeed::At(const Cursor& end) {
  Settle(end);
  return at_ ? at_->Text() : end.Text();
}

void TopicFeed::Settle(const Cursor& end) {
  if (!at_) return;
  at_->Merge(end);
  if (at_->IsWithin(end)) at_.reset();
}

}  // namespace bv::notification
