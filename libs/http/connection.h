// One connection of the server; internal to libs/http.
#pragma once

#include <absl/container/flat_hash_set.h>

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "libs/http/metrics.h"
#include "libs/http/server.h"

namespace bv::http {

class Connection;
class RequestReader;
using Clock = std::chrono::steady_clock;

// What the connections of a server have in common; outlives the last of them.
struct Shared {
  Settings settings;
  Handlers handlers;
  Metrics metrics;
  std::atomic<bool> draining{false};
  // Bytes of request bodies that connections have room for.
  std::atomic<std::int64_t> body_bytes{0};

  std::mutex mutex;
  std::condition_variable none_open;
  // Guarded by `mutex`, as `open` is.
  bool accepting = false;
  absl::flat_hash_set<Connection*> open;
};

// Runs in a strand of its own. Time limits are not timers of each wait, which would cost more than the wait:
// a connection notes what it does and until when, and the server's sweep, some times a second, looks for
// those that are late.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(boost::asio::ip::tcp::socket socket, std::shared_ptr<Shared> shared);
  ~Connection();

  // Serves requests until the client, a limit or a drain ends it.
  async::Task<void> Run();
  // Ends what is late, and notices a client that has gone. Any thread.
  void Sweep(Clock::time_point now);
  // Any thread.
  void Abort();

 private:
  enum class Phase { kIdle, kReading, kHandling, kWriting, kLingering };
  enum class Arrival { kRequest, kRefused, kEnd };

  // One request, whole.
  async::Task<Arrival> Read(RequestReader& reader);
  // Some bytes of it.
  async::Task<Arrival> ReadMore(RequestReader& reader);
  std::optional<Refusal> TakeHeader(const RequestReader& reader);
  async::Task<void> Handle();
  async::Task<bool> Write(Persistence persistence);
  async::Task<bool> WriteContinue();
  async::Task<void> Linger();
  void GiveAway(const RequestReader& reader);
  // Reserves room for the body that is still to come.
  bool HasRoomFor(std::int64_t bytes);
  void FreeRoom();
  void Refuse(const Refusal& refusal);
  void Enter(Phase phase, absl::Duration limit);
  bool IsLate(Clock::time_point now) const;
  void SweepInStrand(Clock::time_point now);
  bool HasClientGone();

  boost::asio::ip::tcp::socket socket_;
  const std::string client_address_;
  const std::shared_ptr<Shared> shared_;
  std::atomic<Phase> phase_{Phase::kIdle};
  std::atomic<Clock::time_point> late_at_{Clock::time_point::max()};
  // The sweep has cancelled the pending read.
  bool expired_ = false;
  std::int64_t room_ = 0;
  std::stop_source stop_;
  Request request_;
  Response response_;
  std::string head_;
};

}  // namespace bv::http
