// Reads topics as what they are, logs: whole partitions from an offset to another, without a group.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <stop_token>
#include <string>

#include "libs/kafka/consumer.h"

namespace bv::kafka {

struct OffsetRange {
  // Of the oldest message that is kept, and behind the newest one that is on all in-sync replicas.
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

// Thread safe. Connects when it is first used. All functions return UNAVAILABLE when the brokers do not
// answer in time.
class LogReader {
 public:
  // Of the settings the brokers, session_timeout and niceness are used. At most `buffer_bytes` of messages of
  // each partition that is being read wait in memory, and one answer of a broker (256 KiB, or one batch, and
  // what that becomes when it is unpacked).
  LogReader(const ConsumerSettings& settings, std::string client_id, std::int64_t buffer_bytes);
  ~LogReader();
  LogReader(const LogReader&) = delete;
  LogReader& operator=(const LogReader&) = delete;

  // By partition. NOT_FOUND when there is no such topic.
  absl::StatusOr<std::map<int, OffsetRange>> RangesOf(const std::string& topic, absl::Time deadline);
  // By partition, the offset of the first message written at `time` or later; the end when there is none.
  absl::StatusOr<std::map<int, std::int64_t>> OffsetsAt(const std::string& topic, absl::Time time,
                                                        absl::Time deadline);

  // Hands over the messages from range.begin on and before range.end, in order, some hundred at a time, until
  // all were, or `handle` returns something that is not OK, which is returned then. Offsets without a message
  // (compacted, or of a transaction) are passed over. A partition is read by one thread at a time.
  // UNAVAILABLE when nothing comes for 30 s; CANCELLED after a stop; OUT_OF_RANGE, reason LOG_INCOMPLETE,
  // when messages of the range are not kept any more, or were never written.
  absl::Status Read(const std::string& topic, int partition, OffsetRange range, std::stop_token stop,
                    const std::function<absl::Status(std::span<const Message>)>& handle);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace bv::kafka
