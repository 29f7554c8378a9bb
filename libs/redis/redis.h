// Redis for services: batches of commands and scripts, pipelined over a few connections.
//
// hiredis blocks, so every connection has a thread of its own. What waits is the next pipeline, as in the
// lanes of libs/postgres. Redis is a cache here and never the truth: when it is away, every request is
// refused at once, and the caller asks the owner of the data.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "libs/async/task.h"
#include "libs/base/request_context.h"
#include "libs/config/config.h"
#include "libs/resilience/bounded_queue.h"
#include "libs/resilience/circuit_breaker.h"

namespace bv::redis {

struct Settings {
  // Without a password: "redis://127.0.0.1:6379/0".
  std::string url;
  // Empty: none is asked for.
  config::Secret password;
  absl::Duration connect_timeout = absl::Milliseconds(500);
  // For the answers to one pipeline, from its first byte on.
  absl::Duration timeout = absl::Milliseconds(250);
  // For how long after a failure nothing is tried.
  absl::Duration retry_after = absl::Milliseconds(500);
  // Connections, each with a thread.
  int connections = 2;
  // Batches that wait for a connection; more are RESOURCE_EXHAUSTED.
  int queue_max = 4096;

  // redis.url, redis.password, redis.connect_timeout, redis.timeout, redis.retry_after, redis.connections,
  // redis.queue_max
  void Bind(config::Binder& b);
};

// A Lua script. Redis knows it by its hash once it has run; made once, it lives as long as the process.
class Script {
 public:
  explicit Script(std::string_view text);
  const std::string& text() const { return text_; }
  // SHA-1, hexadecimal.
  const std::string& hash() const { return hash_; }

 private:
  std::string text_;
  std::string hash_;
};

struct Reply {
  enum class Kind { kNil, kInteger, kText, kList };
  Kind kind = Kind::kNil;
  std::int64_t integer = 0;
  std::string text;
  std::vector<Reply> list;
};

// Commands that belong together. They run in their order, but not as one: those of others may come between,
// and when the connection is lost the first ones may have run. What has to be one is one script.
class Batch {
 public:
  // {"HGETALL", key}
  Batch& Add(std::vector<std::string> words);
  // `script` outlives the batch.
  Batch& Run(const Script& script, const std::string& key, std::vector<std::string> arguments);

  std::size_t size() const { return commands_.size(); }
  bool empty() const { return commands_.empty(); }

  struct Command {
    // Of a script: number of keys, key, arguments.
    const Script* script = nullptr;
    std::vector<std::string> words;
  };
  const std::vector<Command>& commands() const { return commands_; }

 private:
  std::vector<Command> commands_;
};

// One for each command of the batch.
using Replies = std::vector<Reply>;

// Thread safe. A batch may run twice, when a connection is lost that had lain idle, so that every write has
// to come to the same the second time.
//   UNAVAILABLE, reason REDIS_UNAVAILABLE: Redis is away, too slow or starting; or was a moment ago.
//   RESOURCE_EXHAUSTED: too many batches wait; with the reason REDIS_FULL, Redis has no memory for a command
//   of this batch, and the others have run. DEADLINE_EXCEEDED: the turn came too late. INTERNAL: Redis
//   refused a command; the others of the batch have run.
class Client {
 public:
  // INVALID_ARGUMENT for a URL that cannot be. Connects when it is first used.
  static absl::StatusOr<std::unique_ptr<Client>> Create(const Settings& settings);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  async::Task<absl::StatusOr<Replies>> Execute(Batch batch, const RequestContext& context);
  // The same for threads that may block: those of consumers.
  absl::StatusOr<Replies> ExecuteBlocking(Batch batch, absl::Time deadline);

  // Whether a request would be refused at this moment, because Redis was away shortly before.
  bool is_away() const;

  // Ends the threads after what is queued has run.
  void Stop();

 private:
  struct Address {
    std::string host;
    int port = 0;
    int database = 0;
  };
  struct Job {
    Batch batch;
    RequestContext context;
    async::Done<absl::StatusOr<Replies>> done;
  };
  class Connection;

  Client(const Settings& settings, Address address);
  static absl::StatusOr<Address> Parse(std::string_view url);

  void Enqueue(Job job);
  void Serve(Connection& connection);
  void RunTogether(Connection& connection, std::vector<Job>& jobs);

  const Settings settings_;
  const Address address_;
  resilience::BoundedQueue<Job> queue_;
  // Opens with the first failure: an idle connection that was lost is none, so it says that Redis is away.
  resilience::CircuitBreaker breaker_;
  prometheus::Counter& answered_;
  prometheus::Counter& failed_;
  prometheus::Counter& refused_;
  prometheus::Histogram& pipeline_;
  prometheus::Gauge& up_;
  std::vector<std::thread> threads_;
};

}  // namespace bv::redis
