// A RabbitMQ of a test's own, to be killed and started again with what it had on disk.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <thread>
#include <vector>

namespace bv::testing {

class RabbitmqServer {
 public:
  // On free ports, with a folder of its own. Returns when it answers, after some seconds.
  RabbitmqServer();
  ~RabbitmqServer();
  RabbitmqServer(const RabbitmqServer&) = delete;
  RabbitmqServer& operator=(const RabbitmqServer&) = delete;

  // host:port, the same in every start.
  const std::string& address() const { return address_; }
  static constexpr char kUser[] = "test";
  static constexpr char kPassword[] = "integration-test";

  void Start();
  // Ends it as a crash does.
  void Kill();
  // Closes all connections, as an operator may.
  void CloseConnections() { Control({"close_all_connections", "test"}); }
  // Runs rabbitmqctl, and ends the test program when it fails.
  void Control(const std::vector<std::string>& arguments) const;

 private:
  void WriteConfiguration() const;
  std::vector<std::string> Environment() const;

  const std::string folder_;
  const int port_, distribution_port_, mapper_port_;
  const std::string address_;
  pid_t mapper_ = 0;
  pid_t node_ = 0;
  // Reads the node's log to its end.
  std::thread log_;
};

}  // namespace bv::testing
