#include "libs/testing/kafka/kafka_topic.h"

#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <memory>

#include "libs/base/strings.h"
#include "libs/kafka/admin.h"
#include "libs/testing/testing.h"

namespace bv::testing {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(30);

template <class T>
using Handle = std::unique_ptr<T, void (*)(T*)>;

Handle<rd_kafka_t> Client(rd_kafka_type_t type) {
  char error[256] = {};
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  const std::pair<const char*, std::string> properties[] = {
      {"bootstrap.servers", Environment("BV_KAFKA_BROKERS")},
      {"group.id", "kafka-topic"},
      {"log_level", "0"}};
  for (const auto& [name, value] : properties) {
    if (type == RD_KAFKA_PRODUCER && name == std::string_view("group.id")) continue;
    rd_kafka_conf_set(conf, name, value.c_str(), error, sizeof error);
  }
  Handle<rd_kafka_t> client(rd_kafka_new(type, conf, error, sizeof error), rd_kafka_destroy);
  EXPECT_NE(client, nullptr) << error;
  return client;
}

std::unique_ptr<kafka::Producer> MakeProducer(kafka::Producer::OnDelivery on_delivery) {
  const kafka::ProducerSettings settings{.brokers = Environment("BV_KAFKA_BROKERS"),
                                         .client_id = "test",
                                         .compression = "none",
                                         .message_bytes_max = 1'000'000,
                                         .request_timeout = absl::Seconds(10)};
  auto producer = kafka::Producer::Create(settings, std::move(on_delivery));
  EXPECT_TRUE(producer.ok()) << producer.status();
  return *std::move(producer);
}

int PartitionsOf(rd_kafka_t* client, const std::string& name) {
  const Handle<rd_kafka_topic_t> topic(rd_kafka_topic_new(client, name.c_str(), nullptr),
                                       rd_kafka_topic_destroy);
  const rd_kafka_metadata_t* metadata = nullptr;
  if (rd_kafka_metadata(client, 0, topic.get(), &metadata, 10'000) != RD_KAFKA_RESP_ERR_NO_ERROR) return 0;
  const int count = metadata->topic_cnt == 1 ? metadata->topics[0].partition_cnt : 0;
  rd_kafka_metadata_destroy(metadata);
  return count;
}

Seen SeenOf(const rd_kafka_message_t& message) {
  Seen seen{.partition = message.partition,
            .key = std::string(static_cast<const char*>(message.key), message.key_len),
            .value = std::string(static_cast<const char*>(message.payload), message.len)};
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return seen;
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0;
       rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
    seen.headers[name] = std::string(static_cast<const char*>(value), size);
  }
  return seen;
}

}  // namespace

KafkaTopic::KafkaTopic() {
  static std::atomic<int> counter{0};
  name_ = Concat("test.", ::getpid(), ".", absl::ToUnixMillis(absl::Now()), ".", counter.fetch_add(1));
}

KafkaTopic::~KafkaTopic() {
  const auto client = Client(RD_KAFKA_PRODUCER);
  const Handle<rd_kafka_queue_t> queue(rd_kafka_queue_new(client.get()), rd_kafka_queue_destroy);
  const Handle<rd_kafka_DeleteTopic_t> request(rd_kafka_DeleteTopic_new(name_.c_str()),
                                               rd_kafka_DeleteTopic_destroy);
  rd_kafka_DeleteTopic_t* requests[] = {request.get()};
  rd_kafka_DeleteTopics(client.get(), requests, 1, nullptr, queue.get());
  const Handle<rd_kafka_event_t> done(rd_kafka_queue_poll(queue.get(), 10'000), rd_kafka_event_destroy);
}

void KafkaTopic::Create(int partitions, const std::map<std::string, std::string>& config) const {
  const auto producer = MakeProducer([](const kafka::Delivery&) {});
  const std::vector<kafka::TopicSpec> topics = {{.name = name_, .partitions = partitions, .config = config}};
  ASSERT_TRUE(kafka::CreateMissingTopics(*producer, topics, 1, absl::Now() + kPatience).ok());
  ASSERT_TRUE(producer->Warm(name_, absl::Now() + kPatience).ok());
}

void KafkaTopic::Write(const std::vector<Written>& records) const {
  std::size_t delivered = 0;
  const auto producer = MakeProducer([&](const kafka::Delivery& delivery) {
    EXPECT_TRUE(delivery.status.ok()) << delivery.status;
    ++delivered;
  });
  const auto wait = [&] {
    pollfd waiting{.fd = producer->event_fd(), .events = POLLIN, .revents = 0};
    ASSERT_EQ(poll(&waiting, 1, static_cast<int>(absl::ToInt64Milliseconds(kPatience))), 1);
    producer->Poll();
  };
  for (const Written& record : records) {
    std::vector<kafka::Header> headers;
    for (const auto& [name, value] : record.headers) headers.push_back({.name = name, .value = value});
    absl::Status produced;
    while (absl::IsResourceExhausted(
        produced = producer->Produce(
            {.topic = name_, .key = record.key, .value = record.value, .headers = headers}))) {
      wait();
    }
    ASSERT_TRUE(produced.ok()) << produced;
  }
  while (delivered < records.size() && !::testing::Test::HasFatalFailure()) wait();
}

void KafkaTopic::DeleteBefore(int partition, std::int64_t offset) const {
  const auto client = Client(RD_KAFKA_PRODUCER);
  const Handle<rd_kafka_queue_t> queue(rd_kafka_queue_new(client.get()), rd_kafka_queue_destroy);
  const Handle<rd_kafka_topic_partition_list_t> list(rd_kafka_topic_partition_list_new(1),
                                                     rd_kafka_topic_partition_list_destroy);
  rd_kafka_topic_partition_list_add(list.get(), name_.c_str(), partition)->offset = offset;
  const Handle<rd_kafka_DeleteRecords_t> request(rd_kafka_DeleteRecords_new(list.get()),
                                                 rd_kafka_DeleteRecords_destroy);
  rd_kafka_DeleteRecords_t* requests[] = {request.get()};
  rd_kafka_DeleteRecords(client.get(), requests, 1, nullptr, queue.get());
  const Handle<rd_kafka_event_t> done(rd_kafka_queue_poll(queue.get(), 10'000), rd_kafka_event_destroy);
  ASSERT_NE(done, nullptr);
  ASSERT_EQ(rd_kafka_event_error(done.get()), RD_KAFKA_RESP_ERR_NO_ERROR)
      << rd_kafka_event_error_string(done.get());
}

void KafkaTopic::SetConfig(const std::string& setting, const std::string& value) const {
  const auto client = Client(RD_KAFKA_PRODUCER);
  const Handle<rd_kafka_queue_t> queue(rd_kafka_queue_new(client.get()), rd_kafka_queue_destroy);
  const Handle<rd_kafka_ConfigResource_t> resource(
      rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name_.c_str()), rd_kafka_ConfigResource_destroy);
  rd_kafka_ConfigResource_set_config(resource.get(), setting.c_str(), value.c_str());
  rd_kafka_ConfigResource_t* resources[] = {resource.get()};
  rd_kafka_AlterConfigs(client.get(), resources, 1, nullptr, queue.get());
  const Handle<rd_kafka_event_t> done(rd_kafka_queue_poll(queue.get(), 10'000), rd_kafka_event_destroy);
  ASSERT_NE(done, nullptr);
  ASSERT_EQ(rd_kafka_event_error(done.get()), RD_KAFKA_RESP_ERR_NO_ERROR)
      << rd_kafka_event_error_string(done.get());
}

std::vector<Seen> KafkaTopic::ReadUntil(const std::function<bool(const std::vector<Seen>&)>& enough) const {
  std::vector<Seen> seen;
  const absl::Time deadline = absl::Now() + kPatience;
  const auto client = Client(RD_KAFKA_CONSUMER);
  // The relay may be about to create the topic.
  int partitions = 0;
  while ((partitions = PartitionsOf(client.get(), name_)) == 0 && absl::Now() < deadline) {
  }
  const Handle<rd_kafka_topic_partition_list_t> all(rd_kafka_topic_partition_list_new(partitions),
                                                    rd_kafka_topic_partition_list_destroy);
  for (int p = 0; p < partitions; ++p) {
    rd_kafka_topic_partition_list_add(all.get(), name_.c_str(), p)->offset = RD_KAFKA_OFFSET_BEGINNING;
  }
  rd_kafka_assign(client.get(), all.get());
  while (!enough(seen) && absl::Now() < deadline) {
    const Handle<rd_kafka_message_t> message(rd_kafka_consumer_poll(client.get(), 100),
                                             rd_kafka_message_destroy);
    if (message && message->err == RD_KAFKA_RESP_ERR_NO_ERROR) seen.push_back(SeenOf(*message));
  }
  EXPECT_TRUE(enough(seen)) << "after " << seen.size() << " records of " << name_;
  return seen;
}

std::vector<Seen> KafkaTopic::Read(std::size_t count) const {
  return ReadUntil([count](const std::vector<Seen>& seen) { return seen.size() >= count; });
}

}  // namespace bv::testing
