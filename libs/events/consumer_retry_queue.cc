#include "libs/events/consumer_retry_queue.h"

#include "libs/base/crash_point.h"
#include "libs/base/id.h"
#include "libs/base/macros.h"
#include "libs/events/consumer.h"
#include "libs/telemetry/telemetry.h"

namespace bv::events {

RetryQueue::RetryQueue(const kafka::ConsumerSettings& settings, const std::string& group,
                       const std::vector<std::string>& topics)
    : group_(group), writer_(settings, group) {
  for (const std::string& topic : topics) topics_.emplace(topic, RetryTopic(topic, group));
  Renew();
}

void RetryQueue::Renew() {
  name_ = UuidToString(NewUuid());
}

void RetryQueue::Forget() {
  parked_.Clear();
  // Whoever has the partitions now reads what was written.
  doubtful_.clear();
  Renew();
}

void RetryQueue::Read(const kafka::Message& message) {
  absl::StatusOr<RetryRecord> record = ToRetryRecord(message);
  if (!record.ok()) {
    // Nobody but members and tools/bv writes here; what somebody else wrote parks nothing.
    telemetry::LogLimited(telemetry::Level::kError, "a record of a retry topic cannot be read",
                          {{"topic", message.topic},
                           {"partition", message.partition},
                           {"offset", message.offset},
                           {"error", record.status()}});
    return;
  }
  if (record->writer == name_) {
    parked_.NoteRecord(record->topic, record->partition, record->offset, message.offset);
  } else if (record->event) {
    parked_.Put(*std::move(record->event));
  } else {
    parked_.Remove(record->topic, record->partition, record->offset);
  }
}

std::int64_t RetryQueue::KeepFrom(const std::string& retry_topic, int partition,
                                  std::int64_t read_up_to) const {
  for (const auto& [topic, retry] : topics_) {
    if (retry == retry_topic) return parked_.KeepFrom(topic, partition, read_up_to);
  }
  return read_up_to;
}

RetryRecord RetryQueue::RecordOf(const kafka::Message& message) const {
  return {.topic = message.topic, .partition = message.partition, .offset = message.offset, .writer = name_};
}

absl::Status RetryQueue::Put(std::vector<ParkedEvent> events) {
  std::vector<RetryRecord> records;
  records.reserve(events.size());
  for (const ParkedEvent& event : events) {
    records.push_back(RecordOf(event.message));
    records.back().event = event;
  }
  RETURN_IF_ERROR(Write(records));
  CrashPoint("events.consumer.parked");
  for (ParkedEvent& event : events) parked_.Put(std::move(event));
  return absl::OkStatus();
}

absl::Status RetryQueue::Finish(const std::vector<ParkedEvent>& events) {
  std::vector<RetryRecord> records;
  records.reserve(events.size());
  for (const ParkedEvent& event : events) records.push_back(RecordOf(event.message));
  RETURN_IF_ERROR(Write(records));
  CrashPoint("events.consumer.freed");
  for (const ParkedEvent& event : events)
    parked_.Remove(event.message.topic, event.message.partition, event.message.offset);
  return absl::OkStatus();
}

RetryRecord RetryQueue::RecordInMemory(const RetryRecord& record) const {
  RetryRecord known = record;
  const ParkedEvent* const event = parked_.Find(record.topic, record.partition, record.offset);
  known.event = event == nullptr ? std::nullopt : std::make_optional(*event);
  return known;
}

absl::Status RetryQueue::Settle() {
  if (doubtful_.empty()) return absl::OkStatus();
  std::vector<RetryRecord> records;
  for (const RetryRecord& record : doubtful_) records.push_back(RecordInMemory(record));
  RETURN_IF_ERROR(Send(records));
  doubtful_.clear();
  return absl::OkStatus();
}

absl::Status RetryQueue::Write(const std::vector<RetryRecord>& records) {
  RETURN_IF_ERROR(Settle());
  absl::Status sent = Send(records);
  if (!sent.ok()) doubtful_ = records;
  return sent;
}

absl::Status RetryQueue::Send(const std::vector<RetryRecord>& records) {
  std::vector<kafka::Message> messages;
  std::vector<std::vector<kafka::Header>> headers;
  std::vector<kafka::Record> writes;
  messages.reserve(records.size());
  headers.reserve(records.size());
  for (const RetryRecord& record : records) {
    const kafka::Message& message = messages.emplace_back(ToMessage(record));
    std::vector<kafka::Header>& of_record = headers.emplace_back();
    for (const auto& [name, value] : message.headers) of_record.push_back({.name = name, .value = value});
    writes.push_back({.topic = topics_.at(record.topic),
                      .key = message.key,
                      .value = record.event ? std::string_view(message.value) : std::string_view(),
                      .headers = of_record,
                      .partition = record.partition});
  }
  return writer_.Write(writes);
}

}  // namespace bv::events
