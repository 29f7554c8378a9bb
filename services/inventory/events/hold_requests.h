// Takes the carts' requests for holds from Kafka to the stock.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/io_context.hpp>
#include <span>
#include <string>
#include <vector>

#include "libs/async/task.h"
#include "libs/events/envelope.h"
#include "libs/kafka/consumer.h"
#include "libs/kafka/dead_letters.h"
#include "libs/telemetry/telemetry.h"
#include "services/inventory/store/stock_room.h"

namespace bv::inventory {

class HoldRequests {
 public:
  static constexpr char kGroup[] = "inventory-holds";
  static const std::string& Topic();

  // Tests have a group and a topic of their own.
  HoldRequests(boost::asio::io_context& io, StockRoom& room, const kafka::ConsumerSettings& kafka,
               const std::string& group = kGroup, const std::string& topic = Topic());

  // Begins to consume; Kafka may come later. INVALID_ARGUMENT for settings that cannot be.
  absl::Status Start() { return consumer_.Run(); }
  // Returns when the batch that runs has ended. Not from a thread of `io`, which has to run.
  void Stop() { consumer_.Stop(); }

 private:
  struct Request {
    const kafka::Message& message;
    HoldCommand command;
    RequestContext context;
  };
  using Requests = std::vector<Request>;
  struct Batch {
    Requests given_back;
    Requests wanted;
  };

  absl::Status Handle(std::span<const kafka::Message> messages);
  // The requests among the messages; what cannot be read is put aside.
  absl::StatusOr<Batch> Read(std::span<const kafka::Message> messages);
  // Returns when all of them are durable, or refused for good and put aside.
  absl::Status Execute(const Requests& requests);
  async::Task<std::vector<absl::StatusOr<Outcome>>> Submit(const Requests& requests);

  boost::asio::io_context& io_;
  StockRoom& room_;
  kafka::DeadLetters dead_letters_;
  prometheus::Counter& held_;
  prometheus::Counter& not_held_;
  kafka::Consumer consumer_;
};

}  // namespace bv::inventory
