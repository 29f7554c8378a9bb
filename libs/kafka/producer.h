// An idempotent Kafka producer: what it acknowledges is on all in-sync replicas, once, in the order of
// Produce for each key.
//
// It is driven by the thread that owns it: Produce hands a record over and returns, event_fd() becomes
// readable when there are delivery reports, and Poll() passes them on. Nothing is called from a thread of
// librdkafka. A record never times out: while the brokers are away it waits, and Produce is refused when the
// queue is full.
//
//   auto producer = Producer::Create(settings, [&](const Delivery& delivery) {
//   ledger.Acknowledge(delivery.tag); }); RETURN_IF_ERROR(CreateMissingTopics(**producer, topics,
//   replication_factor, deadline)); RETURN_IF_ERROR((*producer)->Warm("orders", deadline));
//   RETURN_IF_ERROR((*producer)->Produce({.topic = "orders", .key = order_id, .value = json, .tag = 7}));
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <absl/types/span.h>
#include <librdkafka/rdkafka.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/config/config.h"

namespace bv::kafka {

struct ProducerSettings {
  // host:port, separated by commas.
  std::string brokers;
  // What brokers see in their logs and quotas.
  std::string client_id;
  // none, gzip, snappy, lz4 or zstd.
  std::string compression;
  // How long a record waits for others to share its request; 0 sends at once, and what comes meanwhile goes
  // together.
  absl::Duration linger;
  // The largest record with key and headers, before compression; not more than the topic's max.message.bytes.
  int message_bytes_max = 0;
  // A request without an answer is sent again after this.
  absl::Duration request_timeout;
  // Records that are handed over and not acknowledged; Produce is refused above. Set by the owner, not by
  // Bind.
  int queue_records_max = 100'000;
  std::int64_t queue_bytes_max = 64 << 20;

  // kafka.brokers, kafka.compression, kafka.linger, kafka.message_bytes_max, kafka.request_timeout
  void Bind(config::Binder& b);
};

struct Header {
  std::string_view name;
  std::string_view value;
};

// Copied by Produce.
struct Record {
  std::string_view topic;
  // Not empty: equal keys go to one partition, the one that Java clients choose, too (murmur2).
  std::string_view key;
  // std::string_view() is Kafka's null: it deletes the key from a compacted topic.
  std::string_view value;
  absl::Span<const Header> headers;
  // Comes back with the delivery report.
  std::uint64_t tag = 0;
  // In place of the key's. INVALID_ARGUMENT when the topic has no such partition.
  std::optional<int> partition = std::nullopt;
};

struct Delivery {
  std::uint64_t tag = 0;
  // OK: on all in-sync replicas. An error is final, see StatusOf in error.h; no later record of the partition
  // is sent after it.
  absl::Status status;
};

class Producer {
 public:
  using OnDelivery = std::function<void(const Delivery&)>;

  // Connects in the background. INVALID_ARGUMENT for settings that librdkafka refuses. `on_delivery` is
  // called inside Poll() only, once a record, in the order of acknowledgement: that of Produce within a
  // partition, any order between partitions.
  static absl::StatusOr<std::unique_ptr<Producer>> Create(const ProducerSettings& settings,
                                                          OnDelivery on_delivery);
  // What is not acknowledged is dropped, without a report; brokers may have it or not.
  ~Producer();
  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;

  // Waits until the topic's partitions have leaders, so that its first record goes out at once. NOT_FOUND
  // when there is no such topic, UNAVAILABLE at the deadline.
  absl::Status Warm(std::string_view topic, absl::Time deadline);

  // RESOURCE_EXHAUSTED: the queue is full, nothing was taken. Other errors are those of StatusOf. Waits only
  // for a topic that was not warmed, for as long as one request.
  absl::Status Produce(const Record& record);

  // Readable when Poll() has something to do; Poll() empties it.
  int event_fd() const { return event_fd_; }
  // Calls on_delivery for what was acknowledged or refused since; never waits.
  void Poll();
  // Not OK (ABORTED) after an error that this producer cannot recover from: make another one.
  absl::Status fatal() const;

  rd_kafka_t* handle() const { return client_; }

 private:
  Producer(const ProducerSettings& settings, OnDelivery on_delivery);
  absl::Status Start();
  // A broker knows a producer by the records that it has stored of it. Before the first one it takes any
  // sequence number, so the second could be stored although the first was refused. Hence the first record of
  // each partition travels alone.
  enum class Partition { kUnused, kFirstOnItsWay, kKnown };
  struct Topic {
    rd_kafka_topic_t* handle = nullptr;
    std::vector<Partition> partitions;
  };
  static void Report(rd_kafka_t* client, const rd_kafka_message_t* message, void* self);

  const ProducerSettings settings_;
  const OnDelivery on_delivery_;
  rd_kafka_t* client_ = nullptr;
  std::map<std::string, Topic, std::less<>> topics_;
  int event_fd_ = -1;
  bool closing_ = false;
};

}  // namespace bv::kafka
