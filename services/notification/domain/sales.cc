#include "services/notification/domain/sales.h"

#include <algorithm>

#include "libs/base/strings.h"

namespace bv::notification {
namespace {

constexpr std::int64_t kOverhead = 512;

std::int64_t BytesOf(const SaleEvent& event) {
  return static_cast<std::int64_t>(event.text.size()) + kOverhead;
}

}  // namespace

void Sales::Begin(int partition, std::int64_t offset) {
  if (offset == 0) return;
  const Position before{.partition = partition, .offset = offset - 1};
  begin_.Advance(before);
  end_.Advance(before);
}

bool Sales::Add(SaleEventPtr event) {
  const Position at = event->position;
  if (end_.Next(at.partition) == 0) Begin(at.partition, at.offset);
  end_.Advance(at);
  Shop& shop = shops_[event->tenant];
  const auto running = std::ranges::find(shop.running, event->sale_id, &SaleEvent::sale_id);
  const bool has_ended = shop.ended.contains(event->sale_id);
  if (event->kind == SaleEvent::Kind::kStarted) {
    // A relay that died writes some events twice, so that a start may come behind its end.
    if (has_ended || running != shop.running.end()) return false;
    shop.running.push_back(event);
  } else {
    if (has_ended) return false;
    if (running != shop.running.end()) shop.running.erase(running);
    shop.ended.insert(event->sale_id);
  }
  bytes_ += BytesOf(*event);
  shop.log.push_back(event);
  log_.push_back(std::move(event));
  while (bytes_ > bytes_max_ && log_.size() > 1) DropOldest();
  return true;
}

void Sales::DropOldest() {
  const SaleEventPtr event = std::move(log_.front());
  log_.pop_front();
  bytes_ -= BytesOf(*event);
  begin_.Advance(event->position);
  Shop& shop = shops_[event->tenant];
  shop.log.pop_front();
  if (event->kind == SaleEvent::Kind::kEnded) shop.ended.erase(event->sale_id);
}

std::vector<SaleEventPtr> Sales::Running(std::string_view tenant) const {
  const auto shop = shops_.find(Absl(tenant));
  return shop == shops_.end() ? std::vector<SaleEventPtr>() : shop->second.running;
}

std::optional<std::vector<SaleEventPtr>> Sales::Behind(std::string_view tenant, const Cursor& cursor) const {
  if (!cursor.IsReachedBy(begin_, end_)) return std::nullopt;
  std::vector<SaleEventPtr> found;
  const auto shop = shops_.find(Absl(tenant));
  if (shop == shops_.end()) return found;
  for (const SaleEventPtr& event : shop->second.log) {
    if (!cursor.Has(event->position)) found.push_back(event);
  }
  return found;
}

}  // namespace bv::notification
