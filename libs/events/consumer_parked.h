// What a member of a group has parked, and the records of the retry topic that keep it; pure, internal to
// Consumer.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "libs/kafka/consumer.h"
#include "libs/kafka/progress.h"

namespace bv::events {

struct ParkedEvent {
  // As it came from its topic.
  kafka::Message message;
  // How often it was handed over.
  int attempts = 0;
  // How many of the retry pauses are behind it or under way; it is tried again when `due` has come, by the
  // wall clock, since it outlives the process.
  int pauses = 0;
  absl::Time due = absl::InfinitePast();
  // The last attempt has failed: it is a dead letter, and stays to keep its key parked.
  bool dead = false;
  // Why the last attempt failed, for people.
  std::string why;
  // Of its newest record in the retry topic; absent until that was read.
  std::optional<std::int64_t> record_offset;
};

// A record of a retry topic says what became of one event; the newest one counts. Its key names the event, so
// that compaction leaves the newest.
struct RetryRecord {
  // Absent: not parked any more.
  std::optional<ParkedEvent> event;
  // Of the event.
  std::string topic;
  int partition = 0;
  std::int64_t offset = 0;
  // Who wrote it, so that a member knows its own.
  std::string writer;
};

// The record's key, value and headers in a kafka::Message; its value means nothing when the event is absent.
kafka::Message ToMessage(const RetryRecord& record);
// INVALID_ARGUMENT when it is none.
absl::StatusOr<RetryRecord> ToRetryRecord(const kafka::Message& message);

// Not thread safe.
class Parked {
 public:
  // Topic, partition, key.
  using Key = std::tuple<std::string, int, std::string>;
  static Key KeyOf(const kafka::Message& message);

  // The event, or another one of its key.
  bool HoldsKey(const kafka::Message& message) const { return keys_.contains(KeyOf(message)); }
  const ParkedEvent* Find(const std::string& topic, int partition, std::int64_t offset) const;

  // Adds or replaces it.
  void Put(ParkedEvent event);
  // It may not be there.
  void Remove(const std::string& topic, int partition, std::int64_t offset);
  // Its newest record in the retry topic stands there.
  void NoteRecord(const std::string& topic, int partition, std::int64_t offset, std::int64_t record_offset);
  void Clear();

  // The first events of their keys whose time has come, the longest due first; at most `count`. Valid until
  // the next change.
  std::vector<const ParkedEvent*> Due(absl::Time now, std::size_t count) const;

  // The offset in the retry topic before which nothing is needed any more of the partition's parked events.
  std::int64_t KeepFrom(const std::string& topic, int partition, std::int64_t read_up_to) const;

  struct Sum {
    std::int64_t keys = 0;
    std::int64_t dead_keys = 0;
    std::int64_t events = 0;
    // When the oldest was written to its topic; the infinite future without any.
    absl::Time oldest = absl::InfiniteFuture();
  };
  Sum SumOf(const std::string& topic) const;
  // Keys, values and headers, and what keeping them costs.
  std::int64_t bytes() const { return bytes_; }

 private:
  // The first of its key: dead ones have no time.
  void Schedule(const Key& key);
  void Unschedule(const Key& key);

  // By offset: a partition's events come in the order of their offsets.
  std::map<kafka::PartitionId, std::map<std::int64_t, ParkedEvent>> events_;
  std::map<Key, std::set<std::int64_t>> keys_;
  std::set<std::pair<absl::Time, Key>> schedule_;
  std::map<kafka::PartitionId, std::set<std::int64_t>> records_;
  std::int64_t bytes_ = 0;
};

// What `event` costs of Parked::bytes.
std::int64_t BytesOf(const kafka::Message& message);

}  // namespace bv::events
