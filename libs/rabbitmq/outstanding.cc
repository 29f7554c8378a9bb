#include "libs/rabbitmq/outstanding.h"

#include <algorithm>

namespace bv::rabbitmq {

std::vector<Outstanding::Ack> Outstanding::Take(std::span<const std::uint64_t> tags) {
  std::vector<std::uint64_t> taken;
  for (const std::uint64_t tag : tags) {
    if (tags_.erase(tag) > 0) taken.push_back(tag);
  }
  std::ranges::sort(taken);
  const std::uint64_t first_left = tags_.empty() ? UINT64_MAX : *tags_.begin();
  const auto split = std::ranges::lower_bound(taken, first_left);
  std::vector<Ack> acks;
  if (split != taken.begin()) acks.push_back({*std::prev(split), split - taken.begin() > 1});
  for (auto at = split; at != taken.end(); ++at) acks.push_back({*at, false});
  return acks;
}

}  // namespace bv::rabbitmq
