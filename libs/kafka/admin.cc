#include "libs/kafka/admin.h"

#include <algorithm>
#include <array>
#include <map>
#include <memory>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/kafka/error.h"
#include "libs/telemetry/telemetry.h"

namespace bv::kafka {
namespace {

template <class T>
using Handle = std::unique_ptr<T, void (*)(T*)>;

constexpr int kMetadataRetryMillis = 20;

int MillisUntil(absl::Time deadline) {
  return static_cast<int>(std::max<std::int64_t>(absl::ToInt64Milliseconds(deadline - absl::Now()), 1));
}

// Name → number of partitions.
absl::StatusOr<std::map<std::string, int>> ExistingTopics(rd_kafka_t* client, absl::Time deadline) {
  const rd_kafka_metadata_t* metadata = nullptr;
  const rd_kafka_resp_err_t error = rd_kafka_metadata(client, 1, nullptr, &metadata, MillisUntil(deadline));
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return StatusOf(error, "list of topics");
  std::map<std::string, int> existing;
  for (int i = 0; i < metadata->topic_cnt; ++i) {
    existing.emplace(metadata->topics[i].topic, metadata->topics[i].partition_cnt);
  }
  rd_kafka_metadata_destroy(metadata);
  return existing;
}

absl::Status Create(rd_kafka_t* client, absl::Span<const TopicSpec* const> topics, int replication_factor,
                    absl::Time deadline) {
  std::array<char, 512> text{};
  std::vector<Handle<rd_kafka_NewTopic_t>> requests;
  std::vector<rd_kafka_NewTopic_t*> pointers;
  for (const TopicSpec* topic : topics) {
    Handle<rd_kafka_NewTopic_t> request(rd_kafka_NewTopic_new(topic->name.c_str(), topic->partitions,
                                                              replication_factor, text.data(), text.size()),
                                        rd_kafka_NewTopic_destroy);
    if (request == nullptr) return InvalidValue(topic->name, text.data());
    for (const auto& [name, value] : topic->config)
      rd_kafka_NewTopic_set_config(request.get(), name.c_str(), value.c_str());
    pointers.push_back(request.get());
    requests.push_back(std::move(request));
  }
  const Handle<rd_kafka_AdminOptions_t> options(
      rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_CREATETOPICS), rd_kafka_AdminOptions_destroy);
  rd_kafka_AdminOptions_set_request_timeout(options.get(), MillisUntil(deadline), text.data(), text.size());
  const Handle<rd_kafka_queue_t> queue(rd_kafka_queue_new(client), rd_kafka_queue_destroy);
  rd_kafka_CreateTopics(client, pointers.data(), pointers.size(), options.get(), queue.get());
  const Handle<rd_kafka_event_t> event(rd_kafka_queue_poll(queue.get(), MillisUntil(deadline)),
                                       rd_kafka_event_destroy);
  if (event == nullptr) return StatusOf(RD_KAFKA_RESP_ERR__TIMED_OUT, "creation of topics");
  RETURN_IF_ERROR(StatusOf(rd_kafka_event_error(event.get()), "creation of topics"));
  std::size_t count = 0;
  const rd_kafka_topic_result_t** results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    const rd_kafka_resp_err_t error = rd_kafka_topic_result_error(results[i]);
    // Another process was faster.
    if (error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) continue;
    const char* name = rd_kafka_topic_result_name(results[i]);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
      const char* reason = rd_kafka_topic_result_error_string(results[i]);
      return StatusOf(error, Concat("creation of topic ", name, " (", reason == nullptr ? "" : reason, ")"));
    }
    telemetry::Log(telemetry::Level::kInfo, "topic created", {{"topic", name}});
  }
  return absl::OkStatus();
}

// Brokers learn of a new topic after its creation was answered, and until then say that there is none.
absl::Status AwaitTopics(rd_kafka_t* client, absl::Span<const TopicSpec* const> topics, absl::Time deadline) {
  while (true) {
    ASSIGN_OR_RETURN(const auto existing, ExistingTopics(client, deadline));
    const auto is_known = [&](const TopicSpec* topic) { return existing.contains(topic->name); };
    if (std::ranges::all_of(topics, is_known)) return absl::OkStatus();
    if (absl::Now() >= deadline) return StatusOf(RD_KAFKA_RESP_ERR__TIMED_OUT, "creation of topics");
    rd_kafka_poll(client, kMetadataRetryMillis);
  }
}

}  // namespace

absl::Status CreateMissingTopics(const Producer& producer, absl::Span<const TopicSpec> topics,
                                 int replication_factor, absl::Time deadline) {
  ASSIGN_OR_RETURN(const auto existing, ExistingTopics(producer.handle(), deadline));
  std::vector<const TopicSpec*> missing;
  for (const TopicSpec& topic : topics) {
    const auto found = existing.find(topic.name);
    if (found == existing.end()) {
      missing.push_back(&topic);
    } else if (found->second != topic.partitions) {
      telemetry::Log(telemetry::Level::kWarn,
                     "topic has another number of partitions than it should; left as it is",
                     {{"topic", topic.name}, {"partitions", found->second}, {"wanted", topic.partitions}});
    }
  }
  if (missing.empty()) return absl::OkStatus();
  RETURN_IF_ERROR(Create(producer.handle(), missing, replication_factor, deadline));
  return AwaitTopics(producer.handle(), missing, deadline);
}

}  // namespace bv::kafka
