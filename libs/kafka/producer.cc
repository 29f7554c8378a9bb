#include "libs/kafka/producer.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/kafka/client_log.h"
#include "libs/kafka/error.h"
#include "libs/kafka/statistics.h"
#include "libs/telemetry/telemetry.h"

namespace bv::kafka {
namespace {

using telemetry::Level;

constexpr absl::Duration kStatisticsInterval = absl::Seconds(5);
constexpr absl::Duration kMetadataRetry = absl::Milliseconds(20);

void OnError(rd_kafka_t*, int error, const char* reason, void*) {
  const auto code = static_cast<rd_kafka_resp_err_t>(error);
  telemetry::LogLimited(Level::kWarn, "kafka client error",
                        {{"error", rd_kafka_err2name(code)}, {"detail", reason}});
}

int OnStatistics(rd_kafka_t*, char* json, std::size_t size, void*) {
  const auto statistics = ParseStatistics({json, size});
  if (statistics.ok()) Publish(*statistics);
  return 0;  // librdkafka frees the text
}

int Millis(absl::Duration duration) {
  return static_cast<int>(std::max<std::int64_t>(absl::ToInt64Milliseconds(duration), 0));
}

}  // namespace

void ProducerSettings::Bind(config::Binder& b) {
  b.Text("kafka.brokers", brokers);
  b.Text("kafka.compression", compression);
  b.Duration("kafka.linger", linger, {.min = absl::ZeroDuration(), .max = absl::Seconds(1)});
  b.Integer("kafka.message_bytes_max", message_bytes_max, {.min = 1'000, .max = 1'000'000'000});
  b.Duration("kafka.request_timeout", request_timeout, {.min = absl::Seconds(1), .max = absl::Minutes(5)});
}

Producer::Producer(const ProducerSettings& settings, OnDelivery on_delivery)
    : settings_(settings), on_delivery_(std::move(on_delivery)) {}

absl::StatusOr<std::unique_ptr<Producer>> Producer::Create(const ProducerSettings& settings,
                                                           OnDelivery on_delivery) {
  std::unique_ptr<Producer> producer(new Producer(settings, std::move(on_delivery)));
  RETURN_IF_ERROR(producer->Start());
  return producer;
}

absl::Status Producer::Start() {
  const std::vector<std::pair<const char*, std::string>> properties = {
      {"bootstrap.servers", settings_.brokers},
      {"client.id", settings_.client_id},
      {"acks", "all"},
      {"enable.idempotence", "true"},
      // A record that is refused stops the producer, so that no later one of its partition overtakes it.
      {"enable.gapless.guarantee", "true"},
      {"compression.codec", settings_.compression},
      {"linger.ms", Concat(absl::ToDoubleMilliseconds(settings_.linger))},
      {"message.max.bytes", Concat(settings_.message_bytes_max)},
      // Never: a time-out of a record that may have been stored ends the idempotent producer of librdkafka
      // before 2.3.
      {"message.timeout.ms", "0"},
      {"request.timeout.ms", Concat(Millis(settings_.request_timeout))},
      {"socket.timeout.ms", Concat(std::max(Millis(settings_.request_timeout), 1000))},
      {"queue.buffering.max.messages", Concat(settings_.queue_records_max)},
      {"queue.buffering.max.kbytes", Concat(std::max<std::int64_t>(settings_.queue_bytes_max / 1024, 1))},
      {"socket.nagle.disable", "true"},
      {"reconnect.backoff.ms", "50"},
      {"reconnect.backoff.max.ms", "1000"},
      {"statistics.interval.ms", Concat(Millis(kStatisticsInterval))},
  };
  std::array<char, 512> error{};
  std::unique_ptr<rd_kafka_conf_t, decltype(&rd_kafka_conf_destroy)> conf(rd_kafka_conf_new(),
                                                                          rd_kafka_conf_destroy);
  for (const auto& [name, value] : properties) {
    if (rd_kafka_conf_set(conf.get(), name, value.c_str(), error.data(), error.size()) != RD_KAFKA_CONF_OK) {
      return absl::InvalidArgumentError(Concat("kafka: ", error.data()));
    }
  }
  rd_kafka_conf_set_opaque(conf.get(), this);
  rd_kafka_conf_set_dr_msg_cb(conf.get(), &Producer::Report);
  rd_kafka_conf_set_error_cb(conf.get(), &OnError);
  rd_kafka_conf_set_stats_cb(conf.get(), &OnStatistics);
  rd_kafka_conf_set_log_cb(conf.get(), &LogOfClient);
  client_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf.get(), error.data(), error.size());
  if (client_ == nullptr) return absl::InvalidArgumentError(Concat("kafka: ", error.data()));
  static_cast<void>(conf.release());  // rd_kafka_new took it

  event_fd_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (event_fd_ < 0) return absl::ResourceExhaustedError("eventfd");
  constexpr std::uint64_t one = 1;
  rd_kafka_queue_t* queue = rd_kafka_queue_get_main(client_);
  rd_kafka_queue_io_event_enable(queue, event_fd_, &one, sizeof one);
  rd_kafka_queue_destroy(queue);
  return absl::OkStatus();
}

Producer::~Producer() {
  closing_ = true;
  for (const auto& [name, topic] : topics_) rd_kafka_topic_destroy(topic.handle);
  if (client_ != nullptr) {
    rd_kafka_purge(client_,
                   RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
    rd_kafka_destroy(client_);
  }
  if (event_fd_ >= 0) close(event_fd_);
}

absl::Status Producer::Warm(std::string_view name, absl::Time deadline) {
  if (topics_.contains(name)) return absl::OkStatus();
  std::unique_ptr<rd_kafka_topic_t, decltype(&rd_kafka_topic_destroy)> topic(
      rd_kafka_topic_new(client_, std::string(name).c_str(), nullptr), rd_kafka_topic_destroy);
  if (topic == nullptr) return StatusOf(rd_kafka_last_error(), name);
  std::size_t partitions = 0;
  while (true) {
    const rd_kafka_metadata_t* metadata = nullptr;
    rd_kafka_resp_err_t error =
        rd_kafka_metadata(client_, 0, topic.get(), &metadata, Millis(deadline - absl::Now()));
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
      error = RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
      if (metadata->topic_cnt == 1) {
        const rd_kafka_metadata_topic_t& found = metadata->topics[0];
        const auto has_leader = [](const rd_kafka_metadata_partition_t& partition) {
          return partition.leader >= 0;
        };
        if (found.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
          error = found.err;
        } else if (std::all_of(found.partitions, found.partitions + found.partition_cnt, has_leader)) {
          error = RD_KAFKA_RESP_ERR_NO_ERROR;
          partitions = static_cast<std::size_t>(found.partition_cnt);
        }
      }
      rd_kafka_metadata_destroy(metadata);
    }
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) break;
    absl::Status status = StatusOf(error, Concat("topic ", name));
    if (!absl::IsUnavailable(status) || absl::Now() >= deadline) return status;
    rd_kafka_poll(client_, Millis(kMetadataRetry));
  }
  topics_.emplace(name, Topic{.handle = topic.release(), .partitions = {partitions, Partition::kUnused}});
  return absl::OkStatus();
}

absl::Status Producer::Produce(const Record& record) {
  auto found = topics_.find(record.topic);
  if (found == topics_.end()) {
    RETURN_IF_ERROR(Warm(record.topic, absl::Now() + settings_.request_timeout));
    found = topics_.find(record.topic);
  }
  Topic& topic = found->second;
  const auto count = static_cast<std::int32_t>(topic.partitions.size());
  const std::int32_t number = record.partition.value_or(rd_kafka_msg_partitioner_murmur2(
      topic.handle, record.key.data(), record.key.size(), count, nullptr, nullptr));
  if (number < 0 || number >= count) {
    return absl::InvalidArgumentError(Concat("topic ", record.topic, " has no partition ", number));
  }
  Partition& partition = topic.partitions[static_cast<std::size_t>(number)];
  if (partition == Partition::kFirstOnItsWay) {
    return StatusOf(RD_KAFKA_RESP_ERR__QUEUE_FULL, Concat("topic ", record.topic));
  }
  std::unique_ptr<rd_kafka_headers_t, decltype(&rd_kafka_headers_destroy)> headers(
      rd_kafka_headers_new(record.headers.size()), rd_kafka_headers_destroy);
  for (const Header& header : record.headers) {
    rd_kafka_header_add(headers.get(), header.name.data(), static_cast<ssize_t>(header.name.size()),
                        header.value.data(), static_cast<ssize_t>(header.value.size()));
  }
  const rd_kafka_resp_err_t error =
      rd_kafka_producev(client_, RD_KAFKA_V_RKT(topic.handle), RD_KAFKA_V_PARTITION(number),
                        RD_KAFKA_V_KEY(record.key.data(), record.key.size()),
                        RD_KAFKA_V_VALUE(const_cast<char*>(record.value.data()), record.value.size()),
                        RD_KAFKA_V_HEADERS(headers.get()), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                        RD_KAFKA_V_OPAQUE(reinterpret_cast<void*>(record.tag)), RD_KAFKA_V_END);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return StatusOf(error, Concat("topic ", record.topic));
  static_cast<void>(headers.release());  // the record's now
  if (partition == Partition::kUnused) partition = Partition::kFirstOnItsWay;
  return absl::OkStatus();
}

void Producer::Poll() {
  std::uint64_t count = 0;
  // Before the queue is served, so that a report that comes meanwhile wakes the owner again.
  while (read(event_fd_, &count, sizeof count) > 0) {
  }
  while (rd_kafka_poll(client_, 0) > 0) {
  }
}

void Producer::Report(rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
  auto* producer = static_cast<Producer*>(self);
  if (producer->closing_) return;
  Delivery delivery{.tag = reinterpret_cast<std::uint64_t>(message->_private)};
  const std::string_view topic = rd_kafka_topic_name(message->rkt);
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    producer->topics_.find(topic)->second.partitions[static_cast<std::size_t>(message->partition)] =
        Partition::kKnown;
  } else {
    delivery.status = StatusOf(message->err, Concat("topic ", topic));
  }
  producer->on_delivery_(delivery);
}

absl::Status Producer::fatal() const {
  std::array<char, 512> text{};
  const rd_kafka_resp_err_t error = rd_kafka_fatal_error(client_, text.data(), text.size());
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return absl::OkStatus();
  return Error(absl::StatusCode::kAborted, rd_kafka_err2name(error), text.data());
}

}  // namespace bv::kafka
