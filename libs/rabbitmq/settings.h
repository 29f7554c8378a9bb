// Where RabbitMQ is, and as whom we come.
#pragma once

#include <absl/time/time.h>

#include <string>

#include "libs/config/config.h"

namespace bv::rabbitmq {

struct Settings {
  // host:port
  std::string address;
  std::string user;
  config::Secret password;
  std::string vhost = "/";
  // Of consumers: how long a silent connection is taken for a living one, at most twice as long.
  absl::Duration heartbeat = absl::Seconds(10);
  // For a new connection, its log-in included, and for each answer while queues are declared.
  absl::Duration connect_timeout = absl::Seconds(5);

  // rabbitmq.address, rabbitmq.user, rabbitmq.password, rabbitmq.vhost, rabbitmq.heartbeat,
  // rabbitmq.connect_timeout
  void Bind(config::Binder& b);
};

}  // namespace bv::rabbitmq
