#include "libs/rabbitmq/settings.h"

namespace bv::rabbitmq {

void Settings::Bind(config::Binder& b) {
  b.Text("rabbitmq.address", address);
  b.Text("rabbitmq.user", user);
  b.Secret("rabbitmq.password", password);
  b.Text("rabbitmq.vhost", vhost);
  b.Duration("rabbitmq.heartbeat", heartbeat, {absl::Seconds(1), absl::Minutes(5)});
  b.Duration("rabbitmq.connect_timeout", connect_timeout, {absl::Milliseconds(100), absl::Minutes(1)});
}

}  // namespace bv::rabbitmq
