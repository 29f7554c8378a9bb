// Takes the carts' requests for holds from Kafka to the stock.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "libs/async/task.h"
#include "libs/events/consumer.h"
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
  absl::Status Start() { return consumer_.Start(); }
  // Returns when the batch that runs has ended. Not from a thread of `io`, which has to run.
  void Stop() { consumer_.Stop(); }

 private:
  struct Request {
    // Which of the batch's events it is.
    std::size_t number;
    HoldCommand command;
    RequestContext context;
  };
  using Requests = std::vector<Request>;
  struct Batch {
    Requests given_back;
    Requests wanted;
  };

  absl::StatusOr<events::Answers> Handle(std::span<const events::Event> events);
  // The requests among the events; `answers` refuses what cannot be read.
  static Batch Read(std::span<const events::Event> events, events::Answers& answers);
  // Returns when each of them is durable or has its answer; not OK when all are to come again.
  absl::Status Execute(const Requests& requests, events::Answers& answers);
  async::Task<std::vector<absl::StatusOr<Outcome>>> Submit(const Requests& requests);

  boost::asio::io_context& io_;
  StockRoom& room_;
  prometheus::Counter& held_;
  prometheus::Counter& not_held_;
  events::Consumer consumer_;
};

}  // namespace bv::inventory
