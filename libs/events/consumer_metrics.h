// What a consumer tells of its events; internal to Consumer.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "libs/events/consumer_parked.h"
#include "libs/telemetry/telemetry.h"

namespace bv::events {

// Used by the consumer's thread.
class ConsumerMetrics {
 public:
  ConsumerMetrics(std::string group, std::vector<std::string> topics)
      : group_(std::move(group)), topics_(std::move(topics)) {}

  // `outcome` is one of those in README.md.
  void Count(const kafka::Message& message, const char* outcome);
  // At most once a second.
  void Tell(const Parked& parked);

 private:
  const std::string group_;
  const std::vector<std::string> topics_;
  std::map<std::pair<std::string, std::string>, prometheus::Counter*> counters_;
  absl::Time told_at_ = absl::InfinitePast();
};

}  // namespace bv::events
