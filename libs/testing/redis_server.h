// A Redis of a test's own, to be killed, halted and started again.
#pragma once

#include <sys/types.h>

#include <string>

namespace bv::testing {

class RedisServer {
 public:
  // Runs on a free port, and keeps nothing on disk: started again it is empty. Returns when it answers.
  RedisServer();
  ~RedisServer();
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  // The same in every start.
  const std::string& url() const { return url_; }

  void Start();
  // Ends it as a crash does.
  void Kill();
  // It keeps its connections and answers nothing, until it goes on.
  void Halt();
  void GoOn();

 private:
  int port_ = 0;
  std::string url_;
  pid_t pid_ = 0;
};

}  // namespace bv::testing
