// Events from Kafka become deliveries: rows in PostgreSQL first, then messages in RabbitMQ that lead to them.
#pragma once

#include <absl/status/status.h>
#include <prometheus/counter.h>

#include <span>
#include <vector>

#include "libs/events/envelope.h"
#include "libs/kafka/consumer.h"
#include "libs/kafka/dead_letters.h"
#include "libs/postgres/postgres.h"
#include "libs/rabbitmq/publisher.h"
#include "services/webhook-dispatcher/delivery/work_queues.h"
#include "services/webhook-dispatcher/store/deliveries.h"
#include "services/webhook-dispatcher/store/subscription_book.h"

namespace bv::webhook {

class Intake {
 public:
  static constexpr char kGroup[] = "webhook-dispatcher";

  // Tests have topics of their own: with `topics` those are read instead of the offered ones. Everything that
  // is given outlives it.
  Intake(const kafka::ConsumerSettings& kafka, const postgres::ConnectionSettings& connection,
         const rabbitmq::Settings& rabbitmq, const WorkQueues& queues, SubscriptionBook& book,
         const std::vector<std::string>& topics = {}, const std::string& group = kGroup);

  // Begins to consume; Kafka may come later. INVALID_ARGUMENT for settings that cannot be.
  absl::Status Start() { return consumer_.Run(); }
  // Returns when the batch that runs has ended.
  void Stop() { consumer_.Stop(); }

 private:
  absl::Status Handle(std::span<const kafka::Message> messages);
  absl::Status StoreDeliveriesOf(std::span<const events::Event> events);
  std::vector<NewDelivery> DeliveriesOf(std::span<const events::Event> events) const;
  absl::Status Store(std::span<const NewDelivery> deliveries);
  absl::Status Announce(std::span<const MadeDelivery> made);

  const std::string group_;
  const WorkQueues& queues_;
  SubscriptionBook& book_;
  prometheus::Counter& made_;
  // Of the consumer's thread.
  postgres::Session session_;
  rabbitmq::Publisher publisher_;
  kafka::DeadLetters dead_letters_;
  kafka::Consumer consumer_;
};

}  // namespace bv::webhook
