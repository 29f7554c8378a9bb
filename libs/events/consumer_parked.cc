#include "libs/events/consumer_parked.h"

#include <absl/strings/match.h>
#include <absl/strings/numbers.h>

#include <algorithm>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"

namespace bv::events {
namespace {

constexpr std::string_view kPrefix = "retry.";
// Of the containers.
constexpr std::int64_t kEventOverheadBytes = 512;

class Headers {
 public:
  explicit Headers(const kafka::Message& message) : message_(message) {}

  absl::StatusOr<std::string> Text(std::string_view name) const {
    const auto found = message_.headers.find(Concat(kPrefix, name));
    if (found == message_.headers.end()) return InvalidValue(Concat(kPrefix, name), "must be there");
    return found->second;
  }
  absl::StatusOr<std::int64_t> Number(std::string_view name) const {
    ASSIGN_OR_RETURN(const std::string text, Text(name));
    std::int64_t number = 0;
    if (!absl::SimpleAtoi(text, &number)) return InvalidValue(Concat(kPrefix, name), "must be a number");
    return number;
  }

 private:
  const kafka::Message& message_;
};

absl::StatusOr<ParkedEvent> EventOf(const kafka::Message& message, const RetryRecord& record,
                                    std::string_view state) {
  const Headers headers(message);
  ParkedEvent event{.message = {.topic = record.topic,
                                .partition = record.partition,
                                .offset = record.offset,
                                .value = message.value}};
  for (const auto& [name, value] : message.headers) {
    if (!absl::StartsWith(name, Absl(kPrefix))) event.message.headers[name] = value;
  }
  ASSIGN_OR_RETURN(event.message.key, headers.Text("key"));
  ASSIGN_OR_RETURN(const std::int64_t written_at, headers.Number("writtenAt"));
  ASSIGN_OR_RETURN(const std::int64_t attempts, headers.Number("attempts"));
  ASSIGN_OR_RETURN(const std::int64_t pauses, headers.Number("pauses"));
  ASSIGN_OR_RETURN(const std::int64_t due, headers.Number("due"));
  ASSIGN_OR_RETURN(event.why, headers.Text("why"));
  event.message.written_at = absl::FromUnixMillis(written_at);
  event.attempts = static_cast<int>(attempts);
  event.pauses = static_cast<int>(pauses);
  event.due = absl::FromUnixMillis(due);
  event.dead = state == "dead";
  event.record_offset = message.offset;
  return event;
}

}  // namespace

kafka::Message ToMessage(const RetryRecord& record) {
  kafka::Message message{.partition = record.partition, .key = Concat(record.topic, "@", record.offset)};
  const auto set = [&](std::string_view name, std::string value) {
    message.headers[Concat(kPrefix, name)] = std::move(value);
  };
  if (record.event) {
    const ParkedEvent& event = *record.event;
    message.value = event.message.value;
    message.headers = event.message.headers;
    set("key", event.message.key);
    set("writtenAt", Concat(absl::ToUnixMillis(event.message.written_at)));
    set("attempts", Concat(event.attempts));
    set("pauses", Concat(event.pauses));
    set("due", Concat(std::max<std::int64_t>(absl::ToUnixMillis(event.due), 0)));
    set("why", event.why);
  }
  set("state", !record.event ? "done" : record.event->dead ? "dead" : "parked");
  set("topic", record.topic);
  set("partition", Concat(record.partition));
  set("offset", Concat(record.offset));
  set("writer", record.writer);
  return message;
}

absl::StatusOr<RetryRecord> ToRetryRecord(const kafka::Message& message) {
  const Headers headers(message);
  RetryRecord record;
  ASSIGN_OR_RETURN(record.topic, headers.Text("topic"));
  ASSIGN_OR_RETURN(const std::int64_t partition, headers.Number("partition"));
  ASSIGN_OR_RETURN(record.offset, headers.Number("offset"));
  ASSIGN_OR_RETURN(record.writer, headers.Text("writer"));
  ASSIGN_OR_RETURN(const std::string state, headers.Text("state"));
  record.partition = static_cast<int>(partition);
  if (partition != message.partition) return InvalidValue("retry.partition", "must be that of the record");
  if (state == "done") return record;
  if (state != "parked" && state != "dead")
    return InvalidValue("retry.state", "must be parked, dead or done");
  ASSIGN_OR_RETURN(record.event, EventOf(message, record, state));
  return record;
}

std::int64_t BytesOf(const kafka::Message& message) {
  std::size_t bytes = message.key.size() + message.value.size();
  for (const auto& [name, value] : message.headers) bytes += name.size() + value.size();
  return static_cast<std::int64_t>(bytes) + kEventOverheadBytes;
}

Parked::Key Parked::KeyOf(const kafka::Message& message) {
  return {message.topic, message.partition, message.key};
}

const ParkedEvent* Parked::Find(const std::string& topic, int partition, std::int64_t offset) const {
  const auto events = events_.find({topic, partition});
  if (events == events_.end()) return nullptr;
  const auto event = events->second.find(offset);
  return event == events->second.end() ? nullptr : &event->second;
}

void Parked::Put(ParkedEvent event) {
  const kafka::PartitionId partition{event.message.topic, event.message.partition};
  const std::int64_t offset = event.message.offset;
  const Key key = KeyOf(event.message);
  // Its record stands at least as far back as it did, until a newer one is read.
  if (const ParkedEvent* before = Find(partition.first, partition.second, offset);
      before != nullptr && !event.record_offset) {
    event.record_offset = before->record_offset;
  }
  Remove(partition.first, partition.second, offset);
  Unschedule(key);
  bytes_ += BytesOf(event.message);
  keys_[key].insert(offset);
  if (event.record_offset) records_[partition].insert(*event.record_offset);
  events_[partition].emplace(offset, std::move(event));
  Schedule(key);
}

void Parked::Remove(const std::string& topic, int partition, std::int64_t offset) {
  const auto events = events_.find({topic, partition});
  if (events == events_.end()) return;
  const auto event = events->second.find(offset);
  if (event == events->second.end()) return;
  const Key key = KeyOf(event->second.message);
  Unschedule(key);
  bytes_ -= BytesOf(event->second.message);
  if (event->second.record_offset) records_[events->first].erase(*event->second.record_offset);
  events->second.erase(event);
  const auto of_key = keys_.find(key);
  of_key->second.erase(offset);
  if (of_key->second.empty()) keys_.erase(of_key);
  Schedule(key);
}

void Parked::NoteRecord(const std::string& topic, int partition, std::int64_t offset,
                        std::int64_t record_offset) {
  const auto events = events_.find({topic, partition});
  if (events == events_.end()) return;
  const auto event = events->second.find(offset);
  if (event == events->second.end()) return;
  std::set<std::int64_t>& records = records_[events->first];
  if (event->second.record_offset) records.erase(*event->second.record_offset);
  event->second.record_offset = record_offset;
  records.insert(record_offset);
}

void Parked::Clear() {
  *this = Parked();
}

void Parked::Schedule(const Key& key) {
  const auto of_key = keys_.find(key);
  if (of_key == keys_.end()) return;
  const ParkedEvent& first = *Find(std::get<0>(key), std::get<1>(key), *of_key->second.begin());
  if (!first.dead) schedule_.emplace(first.due, key);
}

void Parked::Unschedule(const Key& key) {
  const auto of_key = keys_.find(key);
  if (of_key == keys_.end()) return;
  schedule_.erase({Find(std::get<0>(key), std::get<1>(key), *of_key->second.begin())->due, key});
}

std::vector<const ParkedEvent*> Parked::Due(absl::Time now, std::size_t count) const {
  std::vector<const ParkedEvent*> due;
  for (const auto& [time, key] : schedule_) {
    if (time > now || due.size() == count) break;
    due.push_back(Find(std::get<0>(key), std::get<1>(key), *keys_.at(key).begin()));
  }
  return due;
}

std::int64_t Parked::KeepFrom(const std::string& topic, int partition, std::int64_t read_up_to) const {
  const auto records = records_.find({topic, partition});
  if (records == records_.end() || records->second.empty()) return read_up_to;
  return std::min(read_up_to, *records->second.begin());
}

Parked::Sum Parked::SumOf(const std::string& topic) const {
  Sum sum;
  for (const auto& [partition, events] : events_) {
    if (partition.first != topic) continue;
    sum.events += static_cast<std::int64_t>(events.size());
    if (!events.empty()) sum.oldest = std::min(sum.oldest, events.begin()->second.message.written_at);
  }
  for (const auto& [key, offsets] : keys_) {
    if (std::get<0>(key) != topic) continue;
    ++sum.keys;
    if (Find(topic, std::get<1>(key), *offsets.begin())->dead) ++sum.dead_keys;
  }
  return sum;
}

}  // namespace bv::events
