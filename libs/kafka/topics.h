// The topics that a deployment needs, as deploy/kafka/topics.yaml writes them down.
#pragma once

#include <absl/status/statusor.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace bv::kafka {

struct TopicSpec {
  // 1 to 249 of a-z A-Z 0-9 . _ -
  std::string name;
  int partitions = 0;
  // Kafka's topic settings: "retention.ms" → "-1".
  std::map<std::string, std::string> config;
};

// INVALID_ARGUMENT names the entry and what is wrong with it. An entry without `why` is an error, too: every
// choice has a reason.
absl::StatusOr<std::vector<TopicSpec>> ParseTopics(std::string_view yaml);
// NOT_FOUND when the file cannot be read.
absl::StatusOr<std::vector<TopicSpec>> ReadTopics(const std::string& path);

bool IsTopicName(std::string_view name);

}  // namespace bv::kafka
