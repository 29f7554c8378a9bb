// Takes from Kafka what inventory and payment say about orders: holds that have expired, payments that have
// succeeded.
#pragma once

#include <absl/status/status.h>

#include <boost/asio/io_context.hpp>
#include <span>
#include <string>
#include <vector>

#include "libs/async/task.h"
#include "libs/events/consumer.h"
#include "libs/postgres/postgres.h"
#include "services/order/reconcile/reconciler.h"

namespace bv::order {

class PeerEvents {
 public:
  static constexpr char kGroup[] = "order";
  static std::vector<std::string> Topics();

  // Tests have a group and topics of their own. `io` runs until after Stop.
  PeerEvents(boost::asio::io_context& io, const kafka::ConsumerSettings& kafka, postgres::Pool& pool,
             Reconciler& reconciler, const std::string& group = kGroup,
             const std::vector<std::string>& topics = Topics());

  // Begins to consume; Kafka may come later. INVALID_ARGUMENT for settings that cannot be.
  absl::Status Start() { return consumer_.Start(); }
  // Returns when the batch that runs has ended.
  void Stop() { consumer_.Stop(); }

 private:
  absl::StatusOr<events::Answers> Handle(std::span<const events::Event> events);
  async::Task<absl::Status> Take(const events::Event& event);
  async::Task<absl::Status> TakeExpired(const events::Event& event);
  async::Task<absl::Status> TakeSucceeded(const events::Event& event);

  boost::asio::io_context& io_;
  postgres::Pool& pool_;
  Reconciler& reconciler_;
  events::Consumer consumer_;
};

}  // namespace bv::order
