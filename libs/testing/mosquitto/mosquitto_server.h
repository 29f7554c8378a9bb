// A Mosquitto of a test's own, to be stopped, killed and started again.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

namespace bv::testing {

// An account of the broker.
struct MqttAccount {
  std::string password;
  // Lines of the ACL: "write iot/inventory/TENT/delta".
  std::vector<std::string> topics;
};

class MosquittoServer {
 public:
  struct Options {
    std::map<std::string, MqttAccount> accounts;
    // The path of a shared object, and its option `key`; empty: none.
    std::string plugin;
    std::string plugin_key;
    // Further lines of mosquitto.conf.
    std::string settings;
  };

  // Runs on a free port and keeps what it has in a folder of its own. Returns when it answers.
  explicit MosquittoServer(Options options);
  ~MosquittoServer();
  MosquittoServer(const MosquittoServer&) = delete;
  MosquittoServer& operator=(const MosquittoServer&) = delete;

  // The same in every start.
  const std::string& address() const { return address_; }

  void Start();
  // In order: it writes down what it has, and has it again after the next start.
  void Stop() { End(SIGTERM); }
  // As a crash does: it has what it wrote down last.
  void Kill() { End(SIGKILL); }

 private:
  void End(int signal);

  const Options options_;
  std::string directory_;
  int port_ = 0;
  std::string address_;
  pid_t pid_ = 0;
};

}  // namespace bv::testing
