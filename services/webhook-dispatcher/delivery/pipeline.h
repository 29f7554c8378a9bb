// From Kafka to the subscribers: all parts of it, in order.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <vector>

#include "libs/config/config.h"
#include "libs/egress/egress.h"
#include "libs/kafka/consumer.h"
#include "libs/postgres/postgres.h"
#include "libs/rabbitmq/settings.h"
#include "services/webhook-dispatcher/delivery/driver.h"
#include "services/webhook-dispatcher/delivery/retention.h"
#include "services/webhook-dispatcher/delivery/work_queues.h"
#include "services/webhook-dispatcher/events/intake.h"
#include "services/webhook-dispatcher/store/subscription_book.h"

namespace bv::webhook {

struct PipelineSettings {
  kafka::ConsumerSettings kafka;
  rabbitmq::Settings rabbitmq;
  // As texts: "30s".
  std::vector<std::string> delays;
  int shards = 8;
  DriverSettings driver;
  RetentionSettings retention;

  // kafka.*, rabbitmq.*, delivery.*, breaker.*
  void Bind(config::Binder& b);
};

class Pipeline {
 public:
  // INVALID_ARGUMENT for delays that are none. Tests have topics, a group and queues of their own. Everything
  // that is given outlives it.
  struct Names {
    std::vector<std::string> topics = {};
    std::string group = Intake::kGroup;
    std::string queues = "webhooks";
  };
  static absl::StatusOr<std::unique_ptr<Pipeline>> Create(const PipelineSettings& settings,
                                                          const postgres::ConnectionSettings& connection,
                                                          SubscriptionBook& book, egress::Client& egress,
                                                          boost::asio::io_context& io, const Names& names);

  // The servers may come later. INVALID_ARGUMENT for settings that cannot be.
  absl::Status Start();
  // Returns when what runs has ended. What waits is taken up by another process, or by the next start.
  void Stop();

 private:
  Pipeline(const PipelineSettings& settings, const postgres::ConnectionSettings& connection,
           SubscriptionBook& book, egress::Client& egress, boost::asio::io_context& io, const Names& names);

  const WorkQueues queues_;
  Driver driver_;
  Intake intake_;
  Retention retention_;
};

}  // namespace bv::webhook
