// Takes what devices saw of the stock from Kafka to the stock.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "libs/async/task.h"
#include "libs/events/consumer.h"
#include "libs/telemetry/telemetry.h"
#include "services/inventory/store/stock_room.h"

namespace bv::inventory {

class DeviceDeltas {
 public:
  static constexpr char kGroup[] = "inventory-devices";
  static const std::string& Topic();

  // The product that a SKU is of, in the name of the fleet (see Catalogue).
  using FindProduct = std::function<async::Task<absl::StatusOr<ProductId>>(RequestContext, SkuCode)>;

  // Tests have a group and a topic of their own.
  DeviceDeltas(boost::asio::io_context& io, StockRoom& room, FindProduct find_product,
               const kafka::ConsumerSettings& kafka, const std::string& group = kGroup,
               const std::string& topic = Topic());

  // Begins to consume; Kafka may come later. INVALID_ARGUMENT for settings that cannot be.
  absl::Status Start() { return consumer_.Start(); }
  // Returns when the batch that runs has ended. Not from a thread of `io`, which has to run.
  void Stop() { consumer_.Stop(); }

 private:
  struct Request {
    // Which of the batch's events it is.
    std::size_t number;
    AdjustCommand command;
    RequestContext context;
  };

  absl::StatusOr<events::Answers> Handle(std::span<const events::Event> events);
  // The adjustments among the events; `answers` refuses what cannot be read.
  static std::vector<Request> Read(std::span<const events::Event> events, events::Answers& answers);
  async::Task<std::vector<absl::StatusOr<Outcome>>> Submit(const std::vector<Request>& requests);
  async::Task<absl::StatusOr<Outcome>> Adjust(AdjustCommand command, RequestContext context);

  boost::asio::io_context& io_;
  StockRoom& room_;
  const FindProduct find_product_;
  prometheus::Counter& counted_;
  prometheus::Counter& refused_;
  events::Consumer consumer_;
};

}  // namespace bv::inventory
