#include "libs/kafka/topics.h"

#include <absl/strings/ascii.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <set>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/config/config.h"

namespace bv::kafka {
namespace {

constexpr int kPartitionsMax = 10'000;

// Throws YAML::Exception for what is not of the type that is asked for.
absl::StatusOr<TopicSpec> ParseTopic(const YAML::Node& node, std::string_view where) {
  if (!node.IsMap()) return InvalidValue(where, "must be a map with name, why, partitions and config");
  for (const auto& entry : node) {
    const auto key = entry.first.as<std::string>();
    if (key != "name" && key != "why" && key != "partitions" && key != "config") {
      return InvalidValue(where, Concat("has the unknown key ", key));
    }
  }
  TopicSpec topic;
  topic.name = node["name"].as<std::string>("");
  if (!IsTopicName(topic.name))
    return InvalidValue(where, "needs a name of 1 to 249 letters, digits, . _ or -");
  if (node["why"].as<std::string>("").empty()) return InvalidValue(where, "needs a reason, `why`");
  topic.partitions = node["partitions"].as<int>(0);
  if (topic.partitions < 1 || topic.partitions > kPartitionsMax) {
    return InvalidValue(where, Concat("needs partitions between 1 and ", kPartitionsMax));
  }
  if (node["config"]) topic.config = node["config"].as<std::map<std::string, std::string>>();
  return topic;
}

}  // namespace

bool IsTopicName(std::string_view name) {
  if (name.empty() || name.size() > 249 || name == "." || name == "..") return false;
  return std::ranges::all_of(
      name, [](char c) { return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-'; });
}

absl::StatusOr<std::vector<TopicSpec>> ParseTopics(std::string_view yaml) try {
  const YAML::Node root = YAML::Load(std::string(yaml));
  if (!root.IsMap() || !root["topics"] || !root["topics"].IsSequence())
    return InvalidValue("topics", "must be a list");
  std::vector<TopicSpec> topics;
  std::set<std::string> names;
  for (std::size_t i = 0; i < root["topics"].size(); ++i) {
    const std::string where = Concat("topics[", i, "]");
    ASSIGN_OR_RETURN(TopicSpec topic, ParseTopic(root["topics"][i], where));
    if (!names.insert(topic.name).second)
      return InvalidValue(where, Concat("repeats the topic ", topic.name));
    topics.push_back(std::move(topic));
  }
  return topics;
} catch (const YAML::Exception& error) {
  return InvalidValue("topics", error.what());
}

absl::StatusOr<std::vector<TopicSpec>> ReadTopics(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string yaml, config::ReadFile(path));
  absl::StatusOr<std::vector<TopicSpec>> topics = ParseTopics(yaml);
  if (topics.ok()) return topics;
  return absl::Status(topics.status().code(), Concat(path, ": ", topics.status().message()));
}

}  // namespace bv::kafka
