// ReserveStock calls of one thread, many at a time.
#pragma once

#include <absl/status/statusor.h>

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/load/loadgen/connection.h"
#include "tests/load/loadgen/outcomes.h"

namespace bv::load {

// Where calls go, and what they say.
struct Target {
  // Of inventory, host:port.
  std::string address;
  // The buyers; at least one.
  std::vector<std::string> tokens;
  // HTTP/2 connections of each thread.
  int connections = 1;
  // A call that takes longer counts as DEADLINE_EXCEEDED.
  std::chrono::milliseconds timeout{10'000};
  // 0 is the service's default.
  int hold_seconds = 0;
};

struct EndedCall {
  // "OK", the reason of the error, or its code where it has none.
  std::string outcome;
  Moment due;
  Moment at;
};

// Used by one thread, whose connections nobody else uses. `target` outlives it.
class Calls {
 public:
  // Its calls take the tokens number `first_buyer`, `first_buyer` + `step`, … in turn.
  Calls(const Target& target, std::size_t first_buyer, std::size_t step);
  // Waits for what is under way.
  ~Calls();

  // UNAVAILABLE when nobody listens.
  absl::Status Connect();
  // Begins to reserve one piece under a new reservation id. `due` is when it was to begin: latency counts
  // from there, so that a client that is behind cannot hide it.
  void Start(const std::string& sku, Moment due);
  // The next call that ends; none when that is not before `until`, which is kept to a millisecond, or when
  // none is under way.
  std::optional<EndedCall> Next(Moment until);
  int in_flight() const { return in_flight_; }

 private:
  // Sends and receives, and waits for something to do so until then.
  void Poll(Moment until);

  const Target& target_;
  const Method method_;
  const std::size_t step_;
  std::size_t buyer_;
  std::size_t turn_ = 0;
  int in_flight_ = 0;
  std::vector<std::string> credentials_;
  std::deque<EndedCall> ended_;
  std::vector<std::unique_ptr<Connection>> connections_;
};

// The calls of each of so many threads, connected; together they take each token once a round.
absl::StatusOr<std::vector<std::unique_ptr<Calls>>> ConnectThreads(const Target& target, int threads);

}  // namespace bv::load
