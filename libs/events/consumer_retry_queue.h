// The parked events of one member: in memory, and in the retry topics that outlive it. Internal to Consumer.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "libs/events/consumer_parked.h"
#include "libs/kafka/consumer.h"
#include "libs/kafka/writer.h"

namespace bv::events {

// Used by the consumer's thread.
class RetryQueue {
 public:
  RetryQueue(const kafka::ConsumerSettings& settings, const std::string& group,
             const std::vector<std::string>& topics);

  // The retry topic of each topic.
  const std::map<std::string, std::string>& topics() const { return topics_; }
  const Parked& parked() const { return parked_; }

  // A record of a retry topic. Its own tell this member where they stand; those of others, of the members
  // before it or of an operator, say what is parked.
  void Read(const kafka::Message& record);
  // The partitions have gone.
  void Forget();
  std::int64_t KeepFrom(const std::string& retry_topic, int partition, std::int64_t read_up_to) const;

  // Writes again what a call before may have written or not, so that the retry topics say what memory says.
  // As kafka::Writer::Write; to be OK before anything else is handled.
  absl::Status Settle();
  // When OK, they are parked as they are here, whatever becomes of this member. Otherwise as
  // kafka::Writer::Write: nothing has changed in memory.
  absl::Status Put(std::vector<ParkedEvent> events);
  // When OK, they are not parked any more.
  absl::Status Finish(const std::vector<ParkedEvent>& events);

 private:
  RetryRecord RecordOf(const kafka::Message& message) const;
  // What memory says of the event.
  RetryRecord RecordInMemory(const RetryRecord& record) const;
  absl::Status Write(const std::vector<RetryRecord>& records);
  absl::Status Send(const std::vector<RetryRecord>& records);
  void Renew();

  const std::string group_;
  std::map<std::string, std::string> topics_;
  kafka::Writer writer_;
  // Another one after each rebalance: what this member wrote before it is news to it then.
  std::string name_;
  Parked parked_;
  // Of events of which a write has failed.
  std::vector<RetryRecord> doubtful_;
};

}  // namespace bv::events
