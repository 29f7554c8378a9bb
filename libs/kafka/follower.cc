#include "libs/kafka/follower.h"

#include <absl/synchronization/mutex.h>
#include <absl/synchronization/notification.h>
#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <future>
#include <map>
#include <thread>
#include <utility>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/kafka/client_log.h"
#include "libs/kafka/client_message.h"
#include "libs/kafka/error.h"
#include "libs/kafka/log_reader.h"
#include "libs/kafka/nice.h"
#include "libs/kafka/progress.h"
#include "libs/kafka/statistics.h"
#include "libs/resilience/backoff.h"
#include "libs/telemetry/telemetry.h"

namespace bv::kafka {
namespace {

using telemetry::Level;

template <class T>
using Handle = std::unique_ptr<T, void (*)(T*)>;

// How long a stop may wait for the thread.
constexpr absl::Duration kPoll = absl::Milliseconds(50);
constexpr absl::Duration kAskingPatience = absl::Seconds(1);
constexpr resilience::BackoffSettings kAgain{.min = absl::Milliseconds(50), .max = absl::Seconds(2)};
// Beside the number of messages, since a single one may have a megabyte.
constexpr std::size_t kBatchBytesMax = 4 << 20;
constexpr int kQueueKilobytesMax = 16 << 10;
constexpr int kFetchBytesMax = 1 << 20;

std::vector<std::pair<const char*, std::string>> Properties(const ConsumerSettings& settings,
                                                            const std::string& client_id) {
  return {
      {"bootstrap.servers", settings.brokers},
      {"client.id", client_id},
      // A place that is not there is looked at here, and never silently another one.
      {"auto.offset.reset", "error"},
      {"enable.auto.commit", "false"},
      // Behind the last message there may be offsets without one.
      {"enable.partition.eof", "true"},
      {"socket.timeout.ms", Concat(absl::ToInt64Milliseconds(settings.session_timeout))},
      // librdkafka 2.0.2 leaves a queue that is full alone for a second: only its bytes may say that it is.
      {"queued.min.messages", "1000000"},
      {"queued.max.messages.kbytes", Concat(kQueueKilobytesMax)},
      {"fetch.max.bytes", Concat(kFetchBytesMax)},
      {"fetch.message.max.bytes", Concat(kFetchBytesMax)},
      {"socket.nagle.disable", "true"},
      {"reconnect.backoff.ms", "50"},
      {"reconnect.backoff.max.ms", "1000"},
      {"statistics.interval.ms", "1000"}};
}

// The partitions that are being read, by one queue.
class Reading {
 public:
  explicit Reading(rd_kafka_t* client)
      : client_(client), queue_(rd_kafka_queue_new(client), rd_kafka_queue_destroy) {}
  ~Reading() {
    for (const auto& [topic, partition] : started_) rd_kafka_consume_stop(topic.get(), partition);
  }
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;

  absl::Status Add(const PartitionId& partition, std::int64_t offset) {
    const auto& [topic, number] = partition;
    Handle<rd_kafka_topic_t> handle(rd_kafka_topic_new(client_, topic.c_str(), nullptr),
                                    rd_kafka_topic_destroy);
    if (rd_kafka_consume_start_queue(handle.get(), number, offset, queue_.get()) != 0)
      return StatusOf(rd_kafka_last_error(), Concat(topic, "/", number));
    started_.emplace_back(std::move(handle), number);
    return absl::OkStatus();
  }

  // Null when nothing came.
  Handle<rd_kafka_message_t> Take(absl::Duration patience) const {
    return {rd_kafka_consume_queue(queue_.get(), static_cast<int>(absl::ToInt64Milliseconds(patience))),
            rd_kafka_message_destroy};
  }

 private:
  rd_kafka_t* const client_;
  const Handle<rd_kafka_queue_t> queue_;
  std::vector<std::pair<Handle<rd_kafka_topic_t>, int>> started_;
};

}  // namespace

struct Follower::Parts {
  struct Place {
    // Of the first message that was not taken.
    std::int64_t next = 0;
    // Where it ended when that was asked last.
    std::int64_t end = 0;
  };

  Parts(const ConsumerSettings& follower_settings, Options follower_options, Handle follower_handle)
      : settings(follower_settings),
        options(std::move(follower_options)),
        handle(std::move(follower_handle)),
        history_begin(absl::Now() - options.history) {}

  // All of the follower's thread.
  absl::Status Connect();
  void Run();
  // Until the stop, or an error that this reading does not get over.
  absl::Status Follow();
  // Where the partitions end, and of those that are new or whose place is gone also where to go on.
  absl::Status Ask();
  absl::Status AskOf(LogReader& reader, const std::string& topic, absl::Time deadline);
  // True when `place` stands in the log.
  static bool Stands(const PartitionId& partition, const Place& place, const OffsetRange& range);
  // What waits, at most a batch.
  absl::Status Gather(const Reading& reading, std::vector<Message>& batch);
  absl::Status Note(const rd_kafka_message_t& record);
  void Lost();
  void Look();
  bool running() const { return !stop.HasBeenNotified(); }

  static void OnError(rd_kafka_t* client, int error, const char* reason, void* self);
  static int OnStatistics(rd_kafka_t* client, char* json, std::size_t size, void* self);

  const ConsumerSettings settings;
  const Options options;
  const Follower::Handle handle;
  const absl::Time history_begin;

  absl::Notification stop;
  std::thread thread;
  std::atomic<bool> caught_up{false};
  mutable absl::Mutex mutex;
  // What each partition began with; guarded by the mutex.
  Offsets first;

  kafka::Handle<rd_kafka_t> client{nullptr, rd_kafka_destroy};
  std::map<PartitionId, Place> places;
  bool connected = true;
  // The ends are those of after the last loss.
  bool ends_known = false;

  prometheus::Counter& handled = telemetry::Counter(
      "follower_messages_total", "Messages that were handed over.", {{"client", options.client_id}});
  prometheus::Gauge& lag =
      telemetry::Gauge("follower_lag", "Messages that stand in the partitions and were not handed over.",
                       {{"client", options.client_id}});
};

absl::Status Follower::Parts::Connect() {
  std::array<char, 512> text{};
  kafka::Handle<rd_kafka_conf_t> conf(rd_kafka_conf_new(), rd_kafka_conf_destroy);
  for (const auto& [name, value] : Properties(settings, options.client_id)) {
    if (rd_kafka_conf_set(conf.get(), name, value.c_str(), text.data(), text.size()) != RD_KAFKA_CONF_OK)
      return InvalidValue(name, text.data());
  }
  rd_kafka_conf_set_opaque(conf.get(), this);
  rd_kafka_conf_set_error_cb(conf.get(), &Parts::OnError);
  rd_kafka_conf_set_stats_cb(conf.get(), &Parts::OnStatistics);
  rd_kafka_conf_set_log_cb(conf.get(), LogOfClient);
  rd_kafka_t* const made = rd_kafka_new(RD_KAFKA_CONSUMER, conf.get(), text.data(), text.size());
  if (made == nullptr) return InvalidValue("kafka", text.data());
  conf.release();  // the client's now
  client.reset(made);
  return absl::OkStatus();
}

void Follower::Parts::Run() {
  resilience::Backoff again(kAgain);
  while (running()) {
    const absl::Status ended = Follow();
    Lost();
    if (!running()) break;
    telemetry::LogLimited(Level::kWarn, "a follower of topics begins again where it was",
                          {{"client", options.client_id}, {"error", ended}});
    stop.WaitForNotificationWithTimeout(*again.Next());
  }
  client.reset();
}

absl::Status Follower::Parts::Follow() {
  RETURN_IF_ERROR(Ask());
  Reading reading(client.get());
  for (const auto& [partition, place] : places) RETURN_IF_ERROR(reading.Add(partition, place.next));
  std::vector<Message> batch;
  while (running()) {
    rd_kafka_poll(client.get(), 0);
    if (connected && !ends_known) RETURN_IF_ERROR(Ask());
    batch.clear();
    const absl::Status gathered = Gather(reading, batch);
    if (!batch.empty()) handle(batch);
    handled.Increment(static_cast<double>(batch.size()));
    RETURN_IF_ERROR(gathered);
    Look();
  }
  return absl::OkStatus();
}

absl::Status Follower::Parts::Ask() {
  LogReader reader(settings, options.client_id, 0);
  const absl::Time deadline = absl::Now() + kAskingPatience;
  for (const std::string& topic : options.topics) RETURN_IF_ERROR(AskOf(reader, topic, deadline));
  connected = true;
  ends_known = true;
  return absl::OkStatus();
}

absl::Status Follower::Parts::AskOf(LogReader& reader, const std::string& topic, absl::Time deadline) {
  ASSIGN_OR_RETURN(const auto ranges, reader.RangesOf(topic, deadline));
  std::map<int, std::int64_t> begins;
  for (const auto& [number, range] : ranges) {
    const PartitionId partition{topic, number};
    auto known = places.find(partition);
    if (known != places.end()) known->second.end = range.end;
    if (known != places.end() && Stands(partition, known->second, range)) continue;
    if (begins.empty() && history_begin > absl::InfinitePast()) {
      ASSIGN_OR_RETURN(begins, reader.OffsetsAt(topic, history_begin, deadline));
    }
    const auto begin = begins.find(number);
    const std::int64_t next = begin == begins.end() ? range.begin : begin->second;
    places[partition] = {.next = next, .end = range.end};
    const absl::MutexLock lock(&mutex);
    first.try_emplace(partition, next);
  }
  return absl::OkStatus();
}

bool Follower::Parts::Stands(const PartitionId& partition, const Place& place, const OffsetRange& range) {
  if (place.next >= range.begin && place.next <= range.end) return true;
  telemetry::Log(Level::kError, "a follower's place is gone from the log",
                 {{"topic", partition.first},
                  {"partition", partition.second},
                  {"offset", place.next},
                  {"begin", range.begin},
                  {"end", range.end}});
  return false;
}

absl::Status Follower::Parts::Gather(const Reading& reading, std::vector<Message>& batch) {
  std::size_t bytes = 0;
  absl::Duration patience = kPoll;
  while (batch.size() < static_cast<std::size_t>(settings.batch_max) && bytes < kBatchBytesMax) {
    const auto record = reading.Take(patience);
    if (record == nullptr) break;
    patience = absl::ZeroDuration();
    if (record->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      RETURN_IF_ERROR(Note(*record));
      continue;
    }
    bytes += record->len + record->key_len;
    batch.push_back(MessageOf(*record));
    places[{batch.back().topic, record->partition}].next = record->offset + 1;
  }
  return absl::OkStatus();
}

absl::Status Follower::Parts::Note(const rd_kafka_message_t& record) {
  const std::string topic = record.rkt == nullptr ? "" : rd_kafka_topic_name(record.rkt);
  if (record.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    std::int64_t& next = places[{topic, record.partition}].next;
    next = std::max(next, record.offset);
    return absl::OkStatus();
  }
  absl::Status status =
      StatusOf(record.err, Concat(topic, "/", record.partition, ": ", rd_kafka_message_errstr(&record)));
  if (!absl::IsUnavailable(status)) return status;
  // librdkafka goes on by itself.
  Lost();
  return absl::OkStatus();
}

void Follower::Parts::Lost() {
  connected = false;
  ends_known = false;
  caught_up = false;
}

void Follower::Parts::Look() {
  if (caught_up || !ends_known) return;
  caught_up =
      std::ranges::all_of(places, [](const auto& entry) { return entry.second.next >= entry.second.end; });
}

void Follower::Parts::OnError(rd_kafka_t*, int error, const char* reason, void* self) {
  telemetry::LogLimited(
      Level::kWarn, "kafka follower error",
      {{"error", rd_kafka_err2name(static_cast<rd_kafka_resp_err_t>(error))}, {"detail", reason}});
  if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) static_cast<Parts*>(self)->Lost();
}

int Follower::Parts::OnStatistics(rd_kafka_t* client, char* json, std::size_t size, void* self) {
  auto& parts = *static_cast<Parts*>(self);
  const auto statistics = ParseStatistics({json, size});
  if (!statistics.ok()) return 0;
  const bool connected = std::ranges::none_of(
      statistics->brokers, [](const BrokerStatistics& broker) { return broker.wanted && !broker.up; });
  if (!connected) parts.Lost();
  parts.connected = connected;
  std::int64_t waiting = 0;
  for (const auto& [partition, place] : parts.places) {
    std::int64_t low = 0;
    std::int64_t high = 0;
    rd_kafka_get_watermark_offsets(client, partition.first.c_str(), partition.second, &low, &high);
    // Negative before the first answer of the broker.
    waiting += std::max<std::int64_t>(high - place.next, 0);
  }
  parts.lag.Set(static_cast<double>(waiting));
  return 0;  // librdkafka frees the text
}

Follower::Follower(const ConsumerSettings& settings, Options options, Handle handle)
    : parts_(std::make_unique<Parts>(settings, std::move(options), std::move(handle))) {}

Follower::~Follower() {
  Stop();
}

absl::Status Follower::Start() {
  std::promise<absl::Status> connected;
  std::future<absl::Status> made = connected.get_future();
  // The threads of librdkafka are as nice as the one that makes them.
  parts_->thread = std::thread([parts = parts_.get(), connected = std::move(connected)]() mutable {
    BeNice(parts->settings.niceness);
    const absl::Status status = parts->Connect();
    connected.set_value(status);
    if (status.ok()) parts->Run();
  });
  return made.get();
}

void Follower::Stop() {
  if (!parts_->thread.joinable()) return;
  parts_->stop.Notify();
  parts_->thread.join();
}

bool Follower::caught_up() const {
  return parts_->caught_up;
}

std::map<std::pair<std::string, int>, std::int64_t> Follower::begins() const {
  const absl::MutexLock lock(&parts_->mutex);
  return parts_->first;
}

}  // namespace bv::kafka
