#include "libs/kafka/log_reader.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <numeric>
#include <thread>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/kafka/client_log.h"
#include "libs/kafka/client_message.h"
#include "libs/kafka/error.h"
#include "libs/kafka/nice.h"

namespace bv::kafka {
namespace {

template <class T>
using Handle = std::unique_ptr<T, void (*)(T*)>;
using PartitionList = Handle<rd_kafka_topic_partition_list_t>;
using TopicHandle = Handle<rd_kafka_topic_t>;

// Small, so that what is handed over costs little beside what waits.
constexpr std::size_t kBatchMax = 256;
constexpr std::size_t kBatchBytesMax = 1 << 20;
// Of one answer, as it comes; unpacked, it may be several times as large. A larger batch comes alone.
constexpr int kFetchBytesMax = 256 << 10;
// How long a stop may wait.
constexpr absl::Duration kPoll = absl::Milliseconds(100);
constexpr absl::Duration kAskingPatience = absl::Seconds(1);
constexpr absl::Duration kPatience = absl::Seconds(30);

int MillisUntil(absl::Time deadline) {
  return static_cast<int>(std::max<std::int64_t>(absl::ToInt64Milliseconds(deadline - absl::Now()), 1));
}

absl::Status Stopped() {
  return absl::CancelledError("the reading was stopped");
}

absl::Status Incomplete(const std::string& topic, int partition, std::int64_t needed, std::string_view why) {
  return Error(
      absl::StatusCode::kOutOfRange, "LOG_INCOMPLETE",
      Concat(topic, "/", partition, " does not have the messages from offset ", needed, " on: ", why));
}

std::vector<std::pair<const char*, std::string>> Properties(const ConsumerSettings& settings,
                                                            const std::string& client_id,
                                                            std::int64_t buffer_bytes) {
  return {{"bootstrap.servers", settings.brokers},
          {"client.id", client_id},
          // A place that is not there is an error, and never another place.
          {"auto.offset.reset", "error"},
          {"enable.auto.commit", "false"},
          // Says that a range which ends without messages was read.
          {"enable.partition.eof", "true"},
          {"socket.timeout.ms", Concat(absl::ToInt64Milliseconds(settings.session_timeout))},
          {"queued.max.messages.kbytes", Concat(std::max<std::int64_t>(buffer_bytes >> 10, 1))},
          {"fetch.message.max.bytes", Concat(kFetchBytesMax)},
          {"socket.nagle.disable", "true"},
          {"reconnect.backoff.ms", "50"},
          {"reconnect.backoff.max.ms", "1000"}};
}

}  // namespace

struct LogReader::Parts {
  const ConsumerSettings settings;
  const std::string client_id;
  const std::int64_t buffer_bytes;

  std::mutex mutex;
  // Made once, under the mutex.
  Handle<rd_kafka_t> client{nullptr, rd_kafka_destroy};

  absl::StatusOr<rd_kafka_t*> Client();
  absl::Status Connect();
  absl::StatusOr<std::vector<int>> PartitionsOf(const std::string& topic, absl::Time deadline);
  // By partition; `at` in milliseconds since 1970, or one of librdkafka's logical offsets. It is also how
  // beginning and end are asked for: rd_kafka_query_watermark_offsets of librdkafka 2.0.2 waits for brokers
  // that are away whatever its time-out says.
  absl::StatusOr<std::map<int, std::int64_t>> Offsets(const std::string& topic,
                                                      const std::vector<int>& partitions, std::int64_t at,
                                                      absl::Time deadline);
  absl::StatusOr<std::map<int, OffsetRange>> Ranges(const std::string& topic,
                                                    const std::vector<int>& partitions, absl::Time deadline);
  // OUT_OF_RANGE, reason LOG_INCOMPLETE, when the log does not have all of the range.
  absl::Status CheckKept(const std::string& topic, int partition, OffsetRange range,
                         const std::stop_token& stop);
};

absl::StatusOr<rd_kafka_t*> LogReader::Parts::Client() {
  const std::lock_guard lock(mutex);
  if (client == nullptr) {
    absl::Status connected;
    // On a thread of its own: those of librdkafka are as nice as the one that makes them.
    std::thread([&] {
      BeNice(settings.niceness);
      connected = Connect();
    }).join();
    RETURN_IF_ERROR(connected);
  }
  return client.get();
}

absl::Status LogReader::Parts::Connect() {
  std::array<char, 512> text{};
  Handle<rd_kafka_conf_t> conf(rd_kafka_conf_new(), rd_kafka_conf_destroy);
  for (const auto& [name, value] : Properties(settings, client_id, buffer_bytes)) {
    if (rd_kafka_conf_set(conf.get(), name, value.c_str(), text.data(), text.size()) != RD_KAFKA_CONF_OK)
      return InvalidValue(name, text.data());
  }
  rd_kafka_conf_set_log_cb(conf.get(), LogOfClient);
  rd_kafka_t* const made = rd_kafka_new(RD_KAFKA_CONSUMER, conf.get(), text.data(), text.size());
  if (made == nullptr) return InvalidValue("kafka", text.data());
  conf.release();  // the client's now
  client.reset(made);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<int>> LogReader::Parts::PartitionsOf(const std::string& topic,
                                                                absl::Time deadline) {
  ASSIGN_OR_RETURN(rd_kafka_t* const reader, Client());
  const TopicHandle handle(rd_kafka_topic_new(reader, topic.c_str(), nullptr), rd_kafka_topic_destroy);
  const rd_kafka_metadata_t* metadata = nullptr;
  RETURN_IF_ERROR(
      StatusOf(rd_kafka_metadata(reader, 0, handle.get(), &metadata, MillisUntil(deadline)), topic));
  const Handle<const rd_kafka_metadata_t> owned(metadata, rd_kafka_metadata_destroy);
  if (metadata->topic_cnt != 1) return StatusOf(RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, topic);
  RETURN_IF_ERROR(StatusOf(metadata->topics[0].err, topic));
  std::vector<int> partitions(metadata->topics[0].partition_cnt);
  std::iota(partitions.begin(), partitions.end(), 0);
  return partitions;
}

absl::StatusOr<std::map<int, std::int64_t>> LogReader::Parts::Offsets(const std::string& topic,
                                                                      const std::vector<int>& partitions,
                                                                      std::int64_t at, absl::Time deadline) {
  ASSIGN_OR_RETURN(rd_kafka_t* const reader, Client());
  const PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())),
                           rd_kafka_topic_partition_list_destroy);
  for (const int partition : partitions)
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition)->offset = at;
  RETURN_IF_ERROR(StatusOf(rd_kafka_offsets_for_times(reader, list.get(), MillisUntil(deadline)), topic));
  std::map<int, std::int64_t> offsets;
  for (int i = 0; i < list->cnt; ++i) {
    const rd_kafka_topic_partition_t& found = list->elems[i];
    RETURN_IF_ERROR(StatusOf(found.err, Concat(topic, "/", found.partition)));
    offsets[found.partition] = found.offset;
  }
  return offsets;
}

absl::StatusOr<std::map<int, OffsetRange>> LogReader::Parts::Ranges(const std::string& topic,
                                                                    const std::vector<int>& partitions,
                                                                    absl::Time deadline) {
  ASSIGN_OR_RETURN(const auto begins, Offsets(topic, partitions, RD_KAFKA_OFFSET_BEGINNING, deadline));
  ASSIGN_OR_RETURN(const auto ends, Offsets(topic, partitions, RD_KAFKA_OFFSET_END, deadline));
  std::map<int, OffsetRange> ranges;
  for (const int partition : partitions) ranges[partition] = {begins.at(partition), ends.at(partition)};
  return ranges;
}

LogReader::LogReader(const ConsumerSettings& settings, std::string client_id, std::int64_t buffer_bytes)
    : parts_(
          new Parts{.settings = settings, .client_id = std::move(client_id), .buffer_bytes = buffer_bytes}) {}

LogReader::~LogReader() = default;

absl::StatusOr<std::map<int, OffsetRange>> LogReader::RangesOf(const std::string& topic,
                                                               absl::Time deadline) {
  ASSIGN_OR_RETURN(const std::vector<int> partitions, parts_->PartitionsOf(topic, deadline));
  return parts_->Ranges(topic, partitions, deadline);
}

absl::StatusOr<std::map<int, std::int64_t>> LogReader::OffsetsAt(const std::string& topic, absl::Time time,
                                                                 absl::Time deadline) {
  ASSIGN_OR_RETURN(const std::vector<int> partitions, parts_->PartitionsOf(topic, deadline));
  // The ends are asked first: what is written meanwhile is later than `time`, unless that is still to come.
  ASSIGN_OR_RETURN(const auto ranges, parts_->Ranges(topic, partitions, deadline));
  const std::int64_t millis =
      absl::ToInt64Milliseconds(absl::Ceil(time - absl::UnixEpoch(), absl::Milliseconds(1)));
  ASSIGN_OR_RETURN(auto offsets,
                   parts_->Offsets(topic, partitions, std::max<std::int64_t>(millis, 0), deadline));
  for (auto& [partition, offset] : offsets) {
    if (offset < 0) offset = ranges.at(partition).end;
  }
  return offsets;
}

namespace {

// One partition that is being read.
class PartitionReader {
 public:
  PartitionReader(rd_kafka_t* client, const std::string& topic, int partition, OffsetRange range)
      : topic_(rd_kafka_topic_new(client, topic.c_str(), nullptr), rd_kafka_topic_destroy),
        queue_(rd_kafka_queue_new(client), rd_kafka_queue_destroy),
        partition_(partition),
        range_(range),
        next_(range.begin) {}
  ~PartitionReader() {
    if (started_) rd_kafka_consume_stop(topic_.get(), partition_);
  }
  PartitionReader(const PartitionReader&) = delete;
  PartitionReader& operator=(const PartitionReader&) = delete;

  absl::Status Start() {
    started_ = rd_kafka_consume_start_queue(topic_.get(), partition_, range_.begin, queue_.get()) == 0;
    return started_ ? absl::OkStatus() : StatusOf(rd_kafka_last_error(), name());
  }

  bool done() const { return next_ >= range_.end; }

  // Empty when nothing came for a moment.
  absl::StatusOr<std::vector<Message>> Take() {
    std::vector<Message> batch;
    std::size_t bytes = 0;
    absl::Duration patience = kPoll;
    while (!done() && batch.size() < kBatchMax && bytes < kBatchBytesMax) {
      const Handle<rd_kafka_message_t> record(
          rd_kafka_consume_queue(queue_.get(), static_cast<int>(absl::ToInt64Milliseconds(patience))),
          rd_kafka_message_destroy);
      if (record == nullptr) break;
      if (record->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        RETURN_IF_ERROR(Note(*record));
        continue;
      }
      next_ = record->offset + 1;
      if (record->offset < range_.end) {
        bytes += record->len + record->key_len;
        batch.push_back(MessageOf(*record));
      }
      patience = absl::ZeroDuration();
    }
    return batch;
  }

 private:
  std::string name() const { return Concat(rd_kafka_topic_name(topic_.get()), "/", partition_); }

  absl::Status Note(const rd_kafka_message_t& event) {
    switch (event.err) {
      case RD_KAFKA_RESP_ERR__PARTITION_EOF:
        // Behind the last message there may be offsets without one.
        next_ = std::max(next_, event.offset);
        if (done()) return absl::OkStatus();
        return Incomplete(rd_kafka_topic_name(topic_.get()), partition_, next_, "it ends before");
      case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
      case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
        return Incomplete(rd_kafka_topic_name(topic_.get()), partition_, next_,
                          rd_kafka_message_errstr(&event));
      default: {
        // What passes by itself costs patience only.
        absl::Status status = StatusOf(event.err, Concat(name(), ": ", rd_kafka_message_errstr(&event)));
        return absl::IsUnavailable(status) ? absl::OkStatus() : status;
      }
    }
  }

  const TopicHandle topic_;
  const Handle<rd_kafka_queue_t> queue_;
  const int partition_;
  const OffsetRange range_;
  // Of the first message that was not taken.
  std::int64_t next_;
  bool started_ = false;
};

}  // namespace

absl::Status LogReader::Parts::CheckKept(const std::string& topic, int partition, OffsetRange range,
                                         const std::stop_token& stop) {
  const absl::Time given_up_at = MonotonicNow() + kPatience;
  while (true) {
    const auto ranges = Ranges(topic, {partition}, absl::Now() + kAskingPatience);
    if (stop.stop_requested()) return Stopped();
    if (absl::IsUnavailable(ranges.status()) && MonotonicNow() < given_up_at) continue;
    RETURN_IF_ERROR(ranges.status());
    const OffsetRange& kept = ranges->at(partition);
    if (range.begin < kept.begin)
      return Incomplete(topic, partition, range.begin, Concat("it begins with ", kept.begin));
    if (range.end > kept.end)
      return Incomplete(topic, partition, range.begin, Concat("it ends with ", kept.end));
    return absl::OkStatus();
  }
}

absl::Status LogReader::Read(const std::string& topic, int partition, OffsetRange range, std::stop_token stop,
                             const std::function<absl::Status(std::span<const Message>)>& handle) {
  if (range.begin >= range.end) return absl::OkStatus();
  RETURN_IF_ERROR(parts_->CheckKept(topic, partition, range, stop));
  ASSIGN_OR_RETURN(rd_kafka_t* const client, parts_->Client());
  PartitionReader reader(client, topic, partition, range);
  RETURN_IF_ERROR(reader.Start());
  absl::Time given_up_at = MonotonicNow() + kPatience;
  while (!reader.done()) {
    if (stop.stop_requested()) return Stopped();
    ASSIGN_OR_RETURN(const std::vector<Message> batch, reader.Take());
    if (!batch.empty()) {
      RETURN_IF_ERROR(handle(batch));
      given_up_at = MonotonicNow() + kPatience;
    } else if (MonotonicNow() > given_up_at) {
      return Unavailable("KAFKA_UNAVAILABLE", Concat("nothing came of ", topic, "/", partition));
    }
  }
  return absl::OkStatus();
}

}  // namespace bv::kafka
