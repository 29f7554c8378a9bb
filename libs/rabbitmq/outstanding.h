// Inside libs/rabbitmq: which messages of a channel are not acknowledged yet, so that many acknowledgements
// go as one.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <vector>

namespace bv::rabbitmq {

class Outstanding {
 public:
  struct Ack {
    std::uint64_t tag = 0;
    // Of this one and all before it.
    bool multiple = false;

    friend bool operator==(const Ack&, const Ack&) = default;
  };

  // Tags grow.
  void Add(std::uint64_t tag) { tags_.insert(tags_.end(), tag); }
  // What to say so that exactly these are acknowledged. Tags that are not outstanding are passed over: the
  // broker would end the channel.
  std::vector<Ack> Take(std::span<const std::uint64_t> tags);

 private:
  std::set<std::uint64_t> tags_;
};

}  // namespace bv::rabbitmq
