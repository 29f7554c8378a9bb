#include "libs/kafka/dead_letters.h"

#include <vector>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/telemetry/telemetry.h"

namespace bv::kafka {
namespace {

constexpr std::size_t kReasonBytesMax = 2'000;

}  // namespace

std::string DeadLetterTopic(std::string_view topic, std::string_view group) {
  return Concat(topic, ".", group, ".dlq");
}

absl::Status DeadLetters::Put(const Message& message, const absl::Status& why, std::span<const Header> more) {
  const std::string topic = DeadLetterTopic(message.topic, group_);
  const std::string partition = Concat(message.partition);
  const std::string offset = Concat(message.offset);
  const std::string code = absl::StatusCodeToString(why.code());
  const std::string reason = ErrorReason(why);
  const std::string field = GetErrorDetail(why).field;
  const std::string text =
      Concat(field, field.empty() ? "" : " ", Std(why.message())).substr(0, kReasonBytesMax);
  std::vector<Header> headers;
  for (const auto& [name, value] : message.headers) headers.push_back({.name = name, .value = value});
  headers.insert(headers.end(),
                 {{.name = "__connect.errors.topic", .value = message.topic},
                  {.name = "__connect.errors.partition", .value = partition},
                  {.name = "__connect.errors.offset", .value = offset},
                  {.name = "__connect.errors.connector.name", .value = group_},
                  {.name = "__connect.errors.exception.class.name", .value = reason.empty() ? code : reason},
                  {.name = "__connect.errors.exception.message", .value = text}});
  headers.insert(headers.end(), more.begin(), more.end());
  const Record record{.topic = topic, .key = message.key, .value = message.value, .headers = headers};
  RETURN_IF_ERROR(writer_.Write({&record, 1}));
  telemetry::Counter("consumer_dead_letters_total",
                     "Messages that were put aside, because they can never be handled.",
                     {{"group", group_}, {"topic", message.topic}})
      .Increment();
  telemetry::LogLimited(
      telemetry::Level::kError, "a message was put among the dead letters",
      {{"topic", topic}, {"partition", message.partition}, {"offset", message.offset}, {"error", why}});
  return absl::OkStatus();
}

}  // namespace bv::kafka
