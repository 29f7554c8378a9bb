// Inside libs/redis: one connection over hiredis, used by one thread.
#pragma once

#include <absl/container/flat_hash_set.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <hiredis/hiredis.h>

#include <memory>
#include <string>
#include <vector>

#include "libs/redis/redis.h"

namespace bv::redis {

// What a command was answered: a refusal of Redis concerns this command only.
using Answer = absl::StatusOr<Reply>;

class Client::Connection {
 public:
  Connection(const Settings& settings, const Address& address) : settings_(settings), address_(address) {}

  // Sends all, then reads as many answers. Connects if needed, and once more if a connection that was used
  // before turns out to be lost. UNAVAILABLE: then all, some or none have run.
  absl::StatusOr<std::vector<Answer>> Run(const std::vector<const Batch::Command*>& commands);

 private:
  using Words = std::vector<std::string>;
  struct Free {
    void operator()(redisContext* context) const { redisFree(context); }
  };

  absl::Status Connect();
  absl::StatusOr<std::vector<Answer>> Exchange(const std::vector<Words>& commands);
  // By the script's hash if this connection has run it, else by its text.
  Words WordsOf(const Batch::Command& command);
  // Closes the connection.
  absl::Status Lost(const char* doing);

  const Settings& settings_;
  const Address& address_;
  std::unique_ptr<redisContext, Free> context_;
  absl::flat_hash_set<std::string> known_scripts_;
  // Whether the last exchange on this connection ended by time.
  bool timed_out_ = false;
};

}  // namespace bv::redis
