// A queue between threads that never grows past its capacity: a full queue refuses, it does not wait.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <iterator>
#include <mutex>
#include <utility>
#include <vector>

namespace bv::resilience {

// Any number of producers and consumers, first in, first out. T is moved, never copied.
template <class T>
class BoundedQueue {
 public:
  // At least 1.
  explicit BoundedQueue(std::size_t capacity) : capacity_(std::max<std::size_t>(capacity, 1)) {}
  BoundedQueue(const BoundedQueue&) = delete;
  BoundedQueue& operator=(const BoundedQueue&) = delete;

  // Never waits. False when the queue is full or closed; `item` is moved from only on true, so that the
  // caller can still answer it.
  [[nodiscard]] bool TryPush(T&& item) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_ || items_.size() >= capacity_) return false;
      items_.push_back(std::move(item));
    }
    changed_.notify_one();
    return true;
  }

  // Waits until there is an item, then takes what is there, at most `max` (at least 1). Empty only when the
  // queue is closed and everything pushed before has been taken.
  std::vector<T> PopAll(std::size_t max) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return closed_ || !items_.empty(); });
    return Take(max);
  }

  // The same, but also returns, empty, after `timeout`; closed() tells the two apart.
  std::vector<T> PopAllFor(std::size_t max, std::chrono::nanoseconds timeout) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, timeout, [this] { return closed_ || !items_.empty(); });
    return Take(max);
  }

  // From now on nothing more is accepted; waiting consumers get what is left, then nothing. May be called
  // again.
  void Close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    changed_.notify_all();
  }

  bool closed() const {
    const std::lock_guard lock(mutex_);
    return closed_;
  }

  // A moment's value: another thread may push or pop before the caller looks at it.
  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return items_.size();
  }

  std::size_t capacity() const { return capacity_; }

 private:
  // With the lock held.
  std::vector<T> Take(std::size_t max) {
    const auto end =
        items_.begin() + static_cast<std::ptrdiff_t>(std::min(std::max<std::size_t>(max, 1), items_.size()));
    std::vector<T> taken(std::make_move_iterator(items_.begin()), std::make_move_iterator(end));
    items_.erase(items_.begin(), end);
    return taken;
  }

  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<T> items_;
  bool closed_ = false;
};

}  // namespace bv::resilience
