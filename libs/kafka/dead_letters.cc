#include "libs/kafka/dead_letters.h"

#include <poll.h>

#include <vector>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/telemetry/telemetry.h"

namespace bv::kafka {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(10);
// A message as large as a topic takes, and the headers that come to it.
constexpr int kMessageBytesMax = 2 << 20;
constexpr std::size_t kReasonBytesMax = 2'000;

}  // namespace

std::string DeadLetterTopic(std::string_view topic, std::string_view group) {
  return Concat(topic, ".", group, ".dlq");
}

DeadLetters::DeadLetters(const ConsumerSettings& settings, std::string group)
    : settings_{.brokers = settings.brokers,
                .client_id = group,
                .compression = "lz4",
                .linger = absl::ZeroDuration(),
                .message_bytes_max = kMessageBytesMax,
                .request_timeout = kPatience / 2},
      group_(std::move(group)) {}

DeadLetters::~DeadLetters() = default;

absl::Status DeadLetters::Connect() {
  if (producer_ != nullptr) return absl::OkStatus();
  ASSIGN_OR_RETURN(producer_, Producer::Create(settings_, [this](const Delivery& delivery) {
                     delivered_ = delivery.status;
                   }));
  return absl::OkStatus();
}

absl::Status DeadLetters::Put(const Message& message, const absl::Status& why) {
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
  absl::Status sent = Connect();
  if (sent.ok())
    sent = Send({.topic = topic, .key = message.key, .value = message.value, .headers = headers});
  if (!sent.ok()) {
    // With what it may still hold: the caller puts it there again.
    producer_.reset();
    return sent;
  }
  telemetry::Counter("consumer_dead_letters_total",
                     "Messages that were put aside, because they can never be handled.",
                     {{"group", group_}, {"topic", message.topic}})
      .Increment();
  telemetry::LogLimited(
      telemetry::Level::kError, "a message was put among the dead letters",
      {{"topic", topic}, {"partition", message.partition}, {"offset", message.offset}, {"error", why}});
  return absl::OkStatus();
}

absl::Status DeadLetters::Send(const Record& record) {
  const absl::Time deadline = absl::Now() + kPatience;
  RETURN_IF_ERROR(producer_->Warm(record.topic, deadline));
  delivered_.reset();
  RETURN_IF_ERROR(producer_->Produce(record));
  while (!delivered_) {
    const absl::Duration left = deadline - absl::Now();
    if (left <= absl::ZeroDuration()) {
      return Unavailable("DEAD_LETTER_UNANSWERED", Concat("no acknowledgement of topic ", record.topic));
    }
    pollfd waiting{.fd = producer_->event_fd(), .events = POLLIN, .revents = 0};
    poll(&waiting, 1, static_cast<int>(absl::ToInt64Milliseconds(absl::Ceil(left, absl::Milliseconds(1)))));
    producer_->Poll();
  }
  return *delivered_;
}

}  // namespace bv::kafka
