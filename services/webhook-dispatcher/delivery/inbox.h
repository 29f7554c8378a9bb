// What other threads have for the driver.
#pragma once

#include <absl/time/time.h>

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include "libs/base/clock.h"
#include "libs/egress/egress.h"
#include "libs/rabbitmq/consumer.h"
#include "services/webhook-dispatcher/store/deliveries.h"

namespace bv::webhook {

// An attempt has ended.
struct Ended {
  DeliveryKey key;
  egress::Outcome outcome;
};

// Bounded by what the driver has begun, and by what RabbitMQ hands over unacknowledged. Thread safe.
class Inbox {
 public:
  struct Contents {
    std::vector<rabbitmq::Incoming> messages;
    std::vector<Ended> ended;
    // Connections, by number, in their order.
    std::vector<std::uint64_t> connected, lost;

    bool empty() const { return messages.empty() && ended.empty() && connected.empty() && lost.empty(); }
  };

  void Messages(std::vector<rabbitmq::Incoming> messages) {
    Change([&](Contents& contents) {
      contents.messages.insert(contents.messages.end(), std::make_move_iterator(messages.begin()),
                               std::make_move_iterator(messages.end()));
    });
  }
  void HasEnded(Ended ended) {
    Change([&](Contents& contents) { contents.ended.push_back(std::move(ended)); });
  }
  void Connected(std::uint64_t connection) {
    Change([&](Contents& contents) { contents.connected.push_back(connection); });
  }
  void Lost(std::uint64_t connection) {
    Change([&](Contents& contents) { contents.lost.push_back(connection); });
  }
  void Wake() {
    Change([this](Contents&) { is_woken_ = true; });
  }

  // All there is, as soon as there is anything; nothing when the time is over or somebody wakes.
  Contents Take(absl::Duration patience) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, absl::ToChronoNanoseconds(patience),
                      [this] { return is_woken_ || !contents_.empty(); });
    is_woken_ = false;
    return std::exchange(contents_, {});
  }

 private:
  template <class F>
  void Change(F change) {
    {
      const std::lock_guard lock(mutex_);
      change(contents_);
    }
    changed_.notify_one();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  Contents contents_;
  bool is_woken_ = false;
};

}  // namespace bv::webhook
