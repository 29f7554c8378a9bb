// Hears from inventory which limited sales are sold out, and which are not any more.
#pragma once

#include <absl/status/statusor.h>

#include <span>
#include <string>

#include "libs/events/consumer.h"
#include "libs/postgres/postgres.h"
#include "libs/telemetry/telemetry.h"
#include "services/product/store/change_pricing.h"

namespace bv::product {

class QuotaNews {
 public:
  static constexpr char kGroup[] = "product";
  static const std::string& Topic();

  // Tests have a group and a topic of their own.
  QuotaNews(const kafka::ConsumerSettings& kafka, const postgres::ConnectionSettings& connection,
            const std::string& group = kGroup, const std::string& topic = Topic());

  // Begins to consume; Kafka may come later. INVALID_ARGUMENT for settings that cannot be.
  absl::Status Start() { return consumer_.Start(); }
  // Returns when the batch that runs has ended.
  void Stop() { consumer_.Stop(); }

 private:
  absl::StatusOr<events::Answers> Handle(std::span<const events::Event> events);
  absl::Status Take(const QuotaTurn& turn, const RequestContext& context);

  // Of the consumer's thread.
  postgres::Session session_;
  prometheus::Counter& sold_out_;
  prometheus::Counter& back_;
  events::Consumer consumer_;
};

}  // namespace bv::product
