// Inside libs/rabbitmq: one connection with one channel over librabbitmq, used by one thread.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <amqp.h>

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "libs/rabbitmq/settings.h"
#include "libs/rabbitmq/topology.h"

namespace bv::rabbitmq {

inline constexpr amqp_channel_t kChannel = 1;

using Headers = std::map<std::string, std::string, std::less<>>;

amqp_bytes_t BytesOf(std::string_view text);
// Valid as long as the bytes.
std::string_view TextOf(amqp_bytes_t bytes);
// The headers that are texts.
Headers HeadersOf(const amqp_basic_properties_t& properties);

class Connection {
 public:
  enum class Heartbeat { kOn, kOff };

  // Connected, logged in, the channel open and everything of `topology` declared. UNAVAILABLE, reason
  // RABBITMQ_UNAVAILABLE; FAILED_PRECONDITION, reason RABBITMQ_REFUSED, for a wrong password, and for a queue
  // that is there with other properties.
  static absl::StatusOr<std::unique_ptr<Connection>> Open(const Settings& settings, Heartbeat heartbeat,
                                                          const Topology& topology);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  amqp_connection_state_t state() const { return state_; }
  int socket() const;
  // What was received and not looked at yet: poll(2) does not see it.
  bool HasInput() const;

  // The outcome of the call of librabbitmq that was made last, and its answer.
  absl::Status LastReply(const char* doing) const;
  static absl::Status Check(const amqp_rpc_reply_t& reply, const char* doing);
  static absl::Status Check(int result, const char* doing);

  // The next frame of the channel; absent when none came until `timeout`.
  absl::StatusOr<std::optional<amqp_frame_t>> NextFrame(absl::Duration timeout);
  // Frees what frames pointed to.
  void Release() { amqp_maybe_release_buffers(state_); }

  // Tells the broker, so that it need not find out.
  void Close();

 private:
  explicit Connection(amqp_connection_state_t state) : state_(state) {}
  absl::Status LogIn(const Settings& settings, Heartbeat heartbeat);
  absl::Status Declare(const Topology& topology);
  absl::Status Declare(const Queue& queue);

  amqp_connection_state_t state_;
};

// Of a frame that ends the channel or the connection, or says that a queue has gone; OK for others.
absl::Status EndOf(const amqp_frame_t& frame);

}  // namespace bv::rabbitmq
