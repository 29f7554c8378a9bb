// Writes records and waits until they are acknowledged, for whoever cannot go on before they are.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "libs/kafka/consumer.h"
#include "libs/kafka/producer.h"

namespace bv::kafka {

// Used by one thread at a time.
class Writer {
 public:
  // `settings` of the consumer that it writes beside. Connects when it is first used.
  Writer(const ConsumerSettings& settings, std::string client_id);
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // OK when all of them are on all in-sync replicas, those of one partition in their order. Otherwise the
  // status of the producer, NOT_FOUND when there is no such topic, or UNAVAILABLE (10 s without an answer):
  // each record may then be there or not, and is to be written again.
  absl::Status Write(std::span<const Record> records);

 private:
  absl::Status Connect();
  absl::Status Send(std::span<const Record> records);
  absl::Status Produce(const Record& record, absl::Time deadline);
  absl::Status WaitForReports(absl::Time deadline);

  const ProducerSettings settings_;
  std::unique_ptr<Producer> producer_;
  // Handed over and not reported; the first error among the reports.
  std::int64_t waiting_ = 0;
  absl::Status failed_;
};

}  // namespace bv::kafka
