#include "libs/rabbitmq/connection.h"

#include <absl/strings/numbers.h>
#include <amqp_tcp_socket.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"

namespace bv::rabbitmq {
namespace {

absl::Status Away(std::string_view doing, std::string_view why) {
  return Unavailable("RABBITMQ_UNAVAILABLE", Concat("RabbitMQ, ", doing, ": ", why));
}

absl::Status Refused(std::string_view doing, int code, std::string_view why) {
  // 320: the broker ends, or an operator has closed the connection; 541: it is in trouble itself.
  if (code == AMQP_CONNECTION_FORCED || code == AMQP_INTERNAL_ERROR) return Away(doing, why);
  return Error(absl::StatusCode::kFailedPrecondition, "RABBITMQ_REFUSED",
               Concat("RabbitMQ refused, ", doing, ": ", code, " ", why));
}

absl::Status RefusedBy(const amqp_method_t& method, const char* doing) {
  if (method.id == AMQP_CONNECTION_CLOSE_METHOD) {
    const auto& close = *static_cast<const amqp_connection_close_t*>(method.decoded);
    return Refused(doing, close.reply_code, TextOf(close.reply_text));
  }
  if (method.id == AMQP_CHANNEL_CLOSE_METHOD) {
    const auto& close = *static_cast<const amqp_channel_close_t*>(method.decoded);
    return Refused(doing, close.reply_code, TextOf(close.reply_text));
  }
  return Away(doing, Concat("an unexpected answer, method ", method.id));
}

amqp_table_entry_t TextEntry(std::string_view key, std::string_view value) {
  amqp_table_entry_t entry{.key = BytesOf(key), .value = {}};
  entry.value.kind = AMQP_FIELD_KIND_UTF8;
  entry.value.value.bytes = BytesOf(value);
  return entry;
}

amqp_table_entry_t NumberEntry(std::string_view key, std::int64_t value) {
  amqp_table_entry_t entry{.key = BytesOf(key), .value = {}};
  entry.value.kind = AMQP_FIELD_KIND_I64;
  entry.value.value.i64 = value;
  return entry;
}

amqp_table_entry_t TrueEntry(std::string_view key) {
  amqp_table_entry_t entry{.key = BytesOf(key), .value = {}};
  entry.value.kind = AMQP_FIELD_KIND_BOOLEAN;
  entry.value.value.boolean = 1;
  return entry;
}

struct HostPort {
  std::string host;
  int port = 0;
};

absl::StatusOr<HostPort> ParseAddress(std::string_view address) {
  const std::size_t colon = address.rfind(':');
  HostPort parsed;
  if (colon == std::string_view::npos || !absl::SimpleAtoi(Absl(address.substr(colon + 1)), &parsed.port))
    return InvalidValue("rabbitmq.address", "must be host:port");
  parsed.host = address.substr(0, colon);
  return parsed;
}

}  // namespace

amqp_bytes_t BytesOf(std::string_view text) {
  return {.len = text.size(), .bytes = const_cast<char*>(text.data())};
}

std::string_view TextOf(amqp_bytes_t bytes) {
  return {static_cast<const char*>(bytes.bytes), bytes.len};
}

Headers HeadersOf(const amqp_basic_properties_t& properties) {
  Headers headers;
  if ((properties._flags & AMQP_BASIC_HEADERS_FLAG) == 0) return headers;
  for (int i = 0; i < properties.headers.num_entries; ++i) {
    const amqp_table_entry_t& entry = properties.headers.entries[i];
    if (entry.value.kind == AMQP_FIELD_KIND_UTF8)
      headers.emplace(TextOf(entry.key), TextOf(entry.value.value.bytes));
  }
  return headers;
}

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const Settings& settings, Heartbeat heartbeat,
                                                             const Topology& topology) {
  std::unique_ptr<Connection> connection(new Connection(amqp_new_connection()));
  if (connection->state_ == nullptr) return Away("connecting", "out of memory");
  RETURN_IF_ERROR(connection->LogIn(settings, heartbeat));
  RETURN_IF_ERROR(connection->Declare(topology));
  return connection;
}

Connection::~Connection() {
  amqp_destroy_connection(state_);
}

int Connection::socket() const {
  return amqp_get_sockfd(state_);
}

bool Connection::HasInput() const {
  return amqp_frames_enqueued(state_) || amqp_data_in_buffer(state_);
}

absl::Status Connection::LogIn(const Settings& settings, Heartbeat heartbeat) {
  ASSIGN_OR_RETURN(const HostPort address, ParseAddress(settings.address));
  const timeval timeout = absl::ToTimeval(settings.connect_timeout);
  amqp_socket_t* socket = amqp_tcp_socket_new(state_);
  if (socket == nullptr) return Away("connecting", "out of memory");
  RETURN_IF_ERROR(
      Check(amqp_socket_open_noblock(socket, address.host.c_str(), address.port, &timeout), "connecting"));
  RETURN_IF_ERROR(Check(amqp_set_handshake_timeout(state_, &timeout), "connecting"));
  RETURN_IF_ERROR(Check(amqp_set_rpc_timeout(state_, &timeout), "connecting"));
  const int heartbeat_seconds =
      heartbeat == Heartbeat::kOn ? static_cast<int>(absl::ToInt64Seconds(settings.heartbeat)) : 0;
  RETURN_IF_ERROR(Check(amqp_login(state_, settings.vhost.c_str(), AMQP_DEFAULT_MAX_CHANNELS,
                                   AMQP_DEFAULT_FRAME_SIZE, heartbeat_seconds, AMQP_SASL_METHOD_PLAIN,
                                   settings.user.c_str(), settings.password.Reveal().c_str()),
                        "logging in"));
  amqp_channel_open(state_, kChannel);
  return LastReply("opening a channel");
}

absl::Status Connection::Declare(const Topology& topology) {
  constexpr amqp_boolean_t kActive = 0, kDurable = 1, kKept = 0, kPublic = 0;
  for (const Exchange& exchange : topology.exchanges) {
    const char* kind = exchange.kind == Exchange::Kind::kDirect ? "direct" : "fanout";
    amqp_exchange_declare(state_, kChannel, BytesOf(exchange.name), amqp_cstring_bytes(kind), kActive,
                          kDurable, kKept, kPublic, amqp_empty_table);
    RETURN_IF_ERROR(LastReply("declaring an exchange"));
  }
  for (const Queue& queue : topology.queues) RETURN_IF_ERROR(Declare(queue));
  for (const Binding& binding : topology.bindings) {
    amqp_queue_bind(state_, kChannel, BytesOf(binding.queue), BytesOf(binding.exchange),
                    BytesOf(binding.routing_key), amqp_empty_table);
    RETURN_IF_ERROR(LastReply("binding a queue"));
  }
  Release();
  return absl::OkStatus();
}

absl::Status Connection::Declare(const Queue& queue) {
  constexpr amqp_boolean_t kActive = 0, kDurable = 1, kOpen = 0, kKept = 0;
  // Without reject-publish a queue would drop its oldest messages, and dead letters could get lost.
  std::vector<amqp_table_entry_t> arguments = {TextEntry("x-queue-type", "quorum"),
                                               TextEntry("x-overflow", "reject-publish")};
  if (queue.single_active_consumer) arguments.push_back(TrueEntry("x-single-active-consumer"));
  if (queue.message_ttl) {
    arguments.push_back(NumberEntry("x-message-ttl", absl::ToInt64Milliseconds(*queue.message_ttl)));
    arguments.push_back(TextEntry("x-dead-letter-exchange", queue.dead_letters));
    arguments.push_back(TextEntry("x-dead-letter-strategy", "at-least-once"));
  }
  amqp_queue_declare(state_, kChannel, BytesOf(queue.name), kActive, kDurable, kOpen, kKept,
                     {.num_entries = static_cast<int>(arguments.size()), .entries = arguments.data()});
  return LastReply("declaring a queue");
}

absl::Status Connection::LastReply(const char* doing) const {
  return Check(amqp_get_rpc_reply(state_), doing);
}

absl::Status Connection::Check(const amqp_rpc_reply_t& reply, const char* doing) {
  switch (reply.reply_type) {
    case AMQP_RESPONSE_NORMAL:
      return absl::OkStatus();
    case AMQP_RESPONSE_LIBRARY_EXCEPTION:
      return Check(reply.library_error, doing);
    case AMQP_RESPONSE_SERVER_EXCEPTION:
      return RefusedBy(reply.reply, doing);
    default:
      return Away(doing, "no answer");
  }
}

absl::Status Connection::Check(int result, const char* doing) {
  if (result >= 0) return absl::OkStatus();
  return Away(doing, amqp_error_string2(result));
}

absl::StatusOr<std::optional<amqp_frame_t>> Connection::NextFrame(absl::Duration timeout) {
  const timeval wait = absl::ToTimeval(std::max(timeout, absl::ZeroDuration()));
  amqp_frame_t frame;
  const int result = amqp_simple_wait_frame_noblock(state_, &frame, &wait);
  if (result == AMQP_STATUS_TIMEOUT) return std::nullopt;
  RETURN_IF_ERROR(Check(result, "reading"));
  RETURN_IF_ERROR(EndOf(frame));
  return frame;
}

void Connection::Close() {
  const timeval patience{.tv_sec = 1, .tv_usec = 0};
  amqp_set_rpc_timeout(state_, &patience);
  amqp_connection_close(state_, AMQP_REPLY_SUCCESS);
}

absl::Status EndOf(const amqp_frame_t& frame) {
  if (frame.frame_type != AMQP_FRAME_METHOD) return absl::OkStatus();
  switch (frame.payload.method.id) {
    case AMQP_CONNECTION_CLOSE_METHOD:
    case AMQP_CHANNEL_CLOSE_METHOD:
      return RefusedBy(frame.payload.method, "reading");
    case AMQP_BASIC_CANCEL_METHOD:
      return Away("reading", "a queue was deleted");
    default:
      return absl::OkStatus();
  }
}

}  // namespace bv::rabbitmq
