#include "libs/rabbitmq/consumer.h"

#include <absl/synchronization/mutex.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>

#include "libs/base/macros.h"
#include "libs/rabbitmq/connection.h"
#include "libs/rabbitmq/outstanding.h"
#include "libs/resilience/backoff.h"
#include "libs/telemetry/telemetry.h"

namespace bv::rabbitmq {
namespace {

// Messages handed over at once.
constexpr std::size_t kBatchMax = 256;
// Between two looks at whether a heartbeat is to be sent or has not come.
constexpr int kTickMillis = 500;

}  // namespace

class Consumer::Loop {
 public:
  Loop(const Settings& settings, Options options, Handlers handlers)
      : settings_(settings),
        options_(std::move(options)),
        handlers_(std::move(handlers)),
        wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
        consumed_(telemetry::Counter("rabbitmq_consumed_total", "Messages that RabbitMQ has handed over.",
                                     {{"client", options_.client}})),
        connected_(telemetry::Gauge("rabbitmq_connected", "1 while a consumer's connection stands.",
                                    {{"client", options_.client}})) {}
  ~Loop() { ::close(wake_); }

  void Start() {
    thread_ = std::thread([this] { Run(); });
  }
  void Stop() {
    stopping_ = true;
    Wake();
    if (thread_.joinable()) thread_.join();
  }
  void Add(std::span<const Tag> tags, std::vector<Tag>& list) {
    {
      const absl::MutexLock lock(&mutex_);
      list.insert(list.end(), tags.begin(), tags.end());
    }
    Wake();
  }
  std::vector<Tag>& acks() { return acks_; }
  std::vector<Tag>& requeues() { return requeues_; }

 private:
  void Run();
  // Until the connection is lost (why) or the consumer is stopped (OK).
  absl::Status Serve();
  absl::Status Subscribe(Connection& connection);
  absl::Status Settle(Connection& connection);
  absl::StatusOr<std::vector<Incoming>> Receive(Connection& connection);
  void Wait(Connection& connection);
  void Wake() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(wake_, &one, sizeof one);
  }
  void Pause(absl::Duration pause);
  std::vector<std::uint64_t> Take(std::vector<Tag>& list);

  const Settings settings_;
  const Options options_;
  const Handlers handlers_;
  const int wake_;
  prometheus::Counter& consumed_;
  prometheus::Gauge& connected_;
  std::atomic<bool> stopping_{false};
  absl::Mutex mutex_;
  std::vector<Tag> acks_ ABSL_GUARDED_BY(mutex_);
  std::vector<Tag> requeues_ ABSL_GUARDED_BY(mutex_);
  // Of the thread.
  std::uint64_t connection_number_ = 0;
  Outstanding outstanding_;
  std::thread thread_;
};

void Consumer::Loop::Run() {
  resilience::Backoff backoff({.min = absl::Milliseconds(100), .max = absl::Seconds(5)});
  while (!stopping_) {
    const std::uint64_t before = connection_number_;
    const absl::Status lost = Serve();
    connected_.Set(0);
    if (connection_number_ != before) {
      handlers_.on_lost(connection_number_);
      backoff.Reset();
    }
    if (stopping_) return;
    telemetry::LogLimited(telemetry::Level::kWarn, "no connection to RabbitMQ",
                          {{"client", options_.client}, {"error", lost}});
    Pause(*backoff.Next());
  }
}

absl::Status Consumer::Loop::Serve() {
  ASSIGN_OR_RETURN(const std::unique_ptr<Connection> connection,
                   Connection::Open(settings_, Connection::Heartbeat::kOn, options_.topology));
  outstanding_ = Outstanding();
  ++connection_number_;
  RETURN_IF_ERROR(Subscribe(*connection));
  connected_.Set(1);
  handlers_.on_connected(connection_number_);
  while (!stopping_) {
    RETURN_IF_ERROR(Settle(*connection));
    ASSIGN_OR_RETURN(std::vector<Incoming> messages, Receive(*connection));
    if (messages.empty()) {
      Wait(*connection);
    } else {
      consumed_.Increment(static_cast<double>(messages.size()));
      handlers_.on_messages(std::move(messages));
    }
  }
  RETURN_IF_ERROR(Settle(*connection));
  connection->Close();
  return absl::OkStatus();
}

absl::Status Consumer::Loop::Subscribe(Connection& connection) {
  constexpr amqp_boolean_t kEach = 0, kRemote = 0, kAcknowledged = 0, kShared = 0;
  amqp_basic_qos(connection.state(), kChannel, 0, static_cast<std::uint16_t>(options_.prefetch), kEach);
  RETURN_IF_ERROR(connection.LastReply("limiting what is handed over"));
  for (const std::string& queue : options_.queues) {
    // The queue's name is also the consumer's: messages come with it.
    amqp_basic_consume(connection.state(), kChannel, BytesOf(queue), BytesOf(queue), kRemote, kAcknowledged,
                       kShared, amqp_empty_table);
    RETURN_IF_ERROR(connection.LastReply("consuming"));
  }
  return absl::OkStatus();
}

std::vector<std::uint64_t> Consumer::Loop::Take(std::vector<Tag>& list) {
  std::vector<Tag> taken;
  {
    const absl::MutexLock lock(&mutex_);
    taken = std::exchange(list, {});
  }
  std::vector<std::uint64_t> numbers;
  for (const Tag& tag : taken) {
    if (tag.connection == connection_number_) numbers.push_back(tag.number);
  }
  return numbers;
}

absl::Status Consumer::Loop::Settle(Connection& connection) {
  for (const Outstanding::Ack& ack : outstanding_.Take(Take(acks_))) {
    RETURN_IF_ERROR(Connection::Check(amqp_basic_ack(connection.state(), kChannel, ack.tag, ack.multiple),
                                      "acknowledging"));
  }
  for (const Outstanding::Ack& back : outstanding_.Take(Take(requeues_))) {
    constexpr amqp_boolean_t kRequeue = 1;
    RETURN_IF_ERROR(Connection::Check(
        amqp_basic_nack(connection.state(), kChannel, back.tag, back.multiple, kRequeue), "giving back"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Incoming>> Consumer::Loop::Receive(Connection& connection) {
  std::vector<Incoming> messages;
  while (messages.size() < kBatchMax) {
    ASSIGN_OR_RETURN(const std::optional<amqp_frame_t> frame, connection.NextFrame(absl::ZeroDuration()));
    if (!frame) break;
    if (frame->frame_type != AMQP_FRAME_METHOD || frame->payload.method.id != AMQP_BASIC_DELIVER_METHOD)
      continue;
    const auto& deliver = *static_cast<const amqp_basic_deliver_t*>(frame->payload.method.decoded);
    Incoming incoming{.tag = {connection_number_, deliver.delivery_tag},
                      .queue = std::string(TextOf(deliver.consumer_tag)),
                      .redelivered = deliver.redelivered != 0};
    amqp_message_t message;
    RETURN_IF_ERROR(
        Connection::Check(amqp_read_message(connection.state(), kChannel, &message, 0), "reading"));
    incoming.body = TextOf(message.body);
    incoming.headers = HeadersOf(message.properties);
    amqp_destroy_message(&message);
    outstanding_.Add(incoming.tag.number);
    messages.push_back(std::move(incoming));
  }
  connection.Release();
  return messages;
}

void Consumer::Loop::Wait(Connection& connection) {
  if (connection.HasInput()) return;
  pollfd waits[] = {{.fd = connection.socket(), .events = POLLIN, .revents = 0},
                    {.fd = wake_, .events = POLLIN, .revents = 0}};
  ::poll(waits, std::size(waits), kTickMillis);
  std::uint64_t count;
  [[maybe_unused]] const ssize_t read = ::read(wake_, &count, sizeof count);
}

void Consumer::Loop::Pause(absl::Duration pause) {
  const absl::Time end = absl::Now() + pause;
  while (!stopping_ && absl::Now() < end) {
    pollfd wait{.fd = wake_, .events = POLLIN, .revents = 0};
    ::poll(&wait, 1, static_cast<int>(absl::ToInt64Milliseconds(end - absl::Now())) + 1);
    std::uint64_t count;
    [[maybe_unused]] const ssize_t read = ::read(wake_, &count, sizeof count);
  }
}

Consumer::Consumer(const Settings& settings, Options options, Handlers handlers)
    : loop_(std::make_unique<Loop>(settings, std::move(options), std::move(handlers))) {}

Consumer::~Consumer() {
  Stop();
}

void Consumer::Start() {
  loop_->Start();
}

void Consumer::Stop() {
  loop_->Stop();
}

void Consumer::Ack(std::span<const Tag> tags) {
  loop_->Add(tags, loop_->acks());
}

void Consumer::Requeue(std::span<const Tag> tags) {
  loop_->Add(tags, loop_->requeues());
}

}  // namespace bv::rabbitmq
