#include "libs/rabbitmq/publisher.h"

#include <absl/strings/numbers.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/rabbitmq/connection.h"
#include "libs/telemetry/telemetry.h"

namespace bv::rabbitmq {
namespace {

// What is under way at once: little enough to fit into the buffers of the socket, so that writing never waits
// for a broker that reads nothing, and the deadline holds.
constexpr std::size_t kUnderWayMax = 512;
constexpr std::size_t kUnderWayBytesMax = 128 << 10;

}  // namespace

// The messages of one call that are not confirmed yet.
class Publisher::Flight {
 public:
  Flight(Connection& connection, std::span<const Outgoing> messages, std::uint64_t last_tag)
      : connection_(connection), messages_(messages), first_tag_(last_tag + 1) {}

  absl::Status Run(absl::Time deadline);
  std::size_t sent() const { return sent_; }

 private:
  absl::Status Send();
  absl::Status Handle(const amqp_frame_t& frame);
  absl::Status ReadReturned(const amqp_frame_t& frame);
  void Confirm(std::uint64_t tag, bool multiple);
  bool HasRoom() const {
    return tags_.empty() || (tags_.size() < kUnderWayMax && under_way_bytes_ < kUnderWayBytesMax);
  }
  std::size_t BytesOfTag(std::uint64_t tag) const { return messages_[tag - first_tag_].body.size(); }

  Connection& connection_;
  const std::span<const Outgoing> messages_;
  const std::uint64_t first_tag_;
  std::size_t sent_ = 0;
  std::set<std::uint64_t> tags_;
  std::size_t under_way_bytes_ = 0;
  // The first refusal.
  absl::Status refusal_;
};

absl::Status Publisher::Flight::Run(absl::Time deadline) {
  while (sent_ < messages_.size() || !tags_.empty()) {
    while (sent_ < messages_.size() && HasRoom()) RETURN_IF_ERROR(Send());
    const absl::Duration left = deadline - MonotonicNow();
    if (left <= absl::ZeroDuration())
      return Unavailable("RABBITMQ_UNAVAILABLE", "RabbitMQ has not confirmed in time");
    ASSIGN_OR_RETURN(const std::optional<amqp_frame_t> frame, connection_.NextFrame(left));
    if (frame) RETURN_IF_ERROR(Handle(*frame));
    connection_.Release();
  }
  return refusal_;
}

absl::Status Publisher::Flight::Send() {
  constexpr amqp_boolean_t kMandatory = 1, kNotImmediate = 0;
  constexpr std::uint8_t kPersistent = 2;
  const Outgoing& message = messages_[sent_];
  const std::uint64_t tag = first_tag_ + sent_;
  std::vector<amqp_table_entry_t> entries;
  for (const auto& [name, value] : message.headers) {
    amqp_table_entry_t entry{.key = BytesOf(name), .value = {}};
    entry.value.kind = AMQP_FIELD_KIND_UTF8;
    entry.value.value.bytes = BytesOf(value);
    entries.push_back(entry);
  }
  amqp_basic_properties_t properties{};
  properties._flags = AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_HEADERS_FLAG;
  properties.delivery_mode = kPersistent;
  properties.headers = {.num_entries = static_cast<int>(entries.size()), .entries = entries.data()};
  RETURN_IF_ERROR(
      Connection::Check(amqp_basic_publish(connection_.state(), kChannel, BytesOf(message.exchange),
                                           BytesOf(message.routing_key), kMandatory, kNotImmediate,
                                           &properties, BytesOf(message.body)),
                        "publishing"));
  ++sent_;
  tags_.insert(tag);
  under_way_bytes_ += message.body.size();
  return absl::OkStatus();
}

absl::Status Publisher::Flight::Handle(const amqp_frame_t& frame) {
  if (frame.frame_type != AMQP_FRAME_METHOD) return absl::OkStatus();
  const amqp_method_t& method = frame.payload.method;
  if (method.id == AMQP_BASIC_ACK_METHOD) {
    const auto& ack = *static_cast<const amqp_basic_ack_t*>(method.decoded);
    Confirm(ack.delivery_tag, ack.multiple != 0);
  } else if (method.id == AMQP_BASIC_NACK_METHOD) {
    const auto& nack = *static_cast<const amqp_basic_nack_t*>(method.decoded);
    const std::size_t before = tags_.size();
    Confirm(nack.delivery_tag, nack.multiple != 0);
    if (refusal_.ok()) {
      refusal_ = Error(absl::StatusCode::kResourceExhausted, "RABBITMQ_FULL",
                       Concat("RabbitMQ took ", before - tags_.size(), " messages not"));
    }
  } else if (method.id == AMQP_BASIC_RETURN_METHOD) {
    return ReadReturned(frame);
  }
  return absl::OkStatus();
}

// It is confirmed afterwards, as if it had gone somewhere.
absl::Status Publisher::Flight::ReadReturned(const amqp_frame_t& frame) {
  const auto& returned = *static_cast<const amqp_basic_return_t*>(frame.payload.method.decoded);
  if (refusal_.ok()) {
    refusal_ = Error(absl::StatusCode::kFailedPrecondition, "UNROUTABLE",
                     Concat("no queue of RabbitMQ is bound to exchange '", TextOf(returned.exchange),
                            "' by '", TextOf(returned.routing_key), "'"));
  }
  amqp_message_t message;
  RETURN_IF_ERROR(
      Connection::Check(amqp_read_message(connection_.state(), kChannel, &message, 0), "reading"));
  amqp_destroy_message(&message);
  return absl::OkStatus();
}

void Publisher::Flight::Confirm(std::uint64_t tag, bool multiple) {
  const auto end = tags_.upper_bound(tag);
  const auto begin = multiple ? tags_.begin() : tags_.find(tag);
  if (begin == tags_.end()) return;
  for (auto at = begin; at != end; ++at) under_way_bytes_ -= BytesOfTag(*at);
  tags_.erase(begin, end);
}

Publisher::Publisher(const Settings& settings, Topology topology, const std::string& client)
    : settings_(settings),
      topology_(std::move(topology)),
      published_(telemetry::Counter("rabbitmq_published_total", "Messages that RabbitMQ has confirmed.",
                                    {{"client", client}})),
      failures_(telemetry::Counter("rabbitmq_publish_failures_total",
                                   "Batches of messages of which not all were confirmed.",
                                   {{"client", client}})) {}

Publisher::~Publisher() {
  if (connection_) connection_->Close();
}

absl::Status Publisher::Publish(std::span<const Outgoing> messages, absl::Time deadline) {
  if (messages.empty()) return absl::OkStatus();
  const bool was_connected = connection_ != nullptr;
  absl::Status status = TryPublish(messages, deadline);
  // The connection was lost while it lay idle, perhaps.
  if (absl::IsUnavailable(status) && was_connected && MonotonicNow() < deadline)
    status = TryPublish(messages, deadline);
  if (status.ok()) {
    published_.Increment(static_cast<double>(messages.size()));
  } else {
    failures_.Increment();
  }
  return status;
}

absl::Status Publisher::TryPublish(std::span<const Outgoing> messages, absl::Time deadline) {
  RETURN_IF_ERROR(Connect());
  Flight flight(*connection_, messages, last_tag_);
  absl::Status status = flight.Run(deadline);
  last_tag_ += flight.sent();
  // What was not confirmed may be later; a queue that has gone is declared with the next connection.
  if (!status.ok()) connection_.reset();
  return status;
}

absl::Status Publisher::Connect() {
  if (connection_) return absl::OkStatus();
  ASSIGN_OR_RETURN(connection_, Connection::Open(settings_, Connection::Heartbeat::kOff, topology_));
  last_tag_ = 0;
  amqp_confirm_select(connection_->state(), kChannel);
  absl::Status status = connection_->LastReply("asking for confirmations");
  if (!status.ok()) connection_.reset();
  return status;
}

}  // namespace bv::rabbitmq
