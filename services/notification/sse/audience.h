// Clients of an event stream, some thousands of them in one strand: what is sent to all is encoded once, and
// goes to each with one system call where it reads fast enough.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <boost/asio/any_io_executor.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libs/http/takeover.h"
#include "services/notification/domain/connection_limits.h"
#include "services/notification/domain/topic_feed.h"
#include "services/notification/sse/metrics.h"
#include "services/notification/sse/stream_text.h"

namespace bv::notification {

class StreamClient;

// What is sent to the clients of a tenant.
struct Broadcast {
  // Counts up, so that a client is not sent what was in its greeting.
  std::uint64_t number = 0;
  SaleEventPtr event;
  Text text;
  // The cursor behind the event, which the text has as its id.
  std::shared_ptr<const Cursor> end;
};

// The beginning of a client's stream.
struct Greeting {
  // With status line and headers.
  std::string text;
  // Of the last broadcast that is in it.
  std::uint64_t number = 0;
  // Where the client is, when that is further than this replica.
  std::optional<TopicFeed> feed;
};

// Thread safe; what it is asked for is done in its strand, in the order of the calls of a thread.
class Audience : public std::enable_shared_from_this<Audience> {
 public:
  using Place = std::shared_ptr<ConnectionLimits::Place>;

  // A client that has more than `waiting_bytes_max` to read is closed.
  Audience(boost::asio::any_io_executor strand, std::size_t waiting_bytes_max)
      : strand_(std::move(strand)), waiting_bytes_max_(waiting_bytes_max) {}

  // `greet` is called in the strand, so that no broadcast comes between it and the client's place among the
  // others.
  void Join(http::Takeover connection, std::string tenant, Place place, std::function<Greeting()> greet);
  void Send(Broadcast broadcast);
  void SendToAll(Text text);
  // Says a last word to each and ends its stream.
  void Dismiss(std::function<Text()> last_word);
  void Abort();

 private:
  using Clients = std::vector<std::shared_ptr<StreamClient>>;
  // Calls `act` with each of them, and lets go of those that have ended.
  template <class Act>
  void ForEach(Clients& clients, Act act);

  const boost::asio::any_io_executor strand_;
  const std::size_t waiting_bytes_max_;
  StreamMetrics metrics_;
  absl::flat_hash_map<std::string, Clients> by_tenant_;
};

}  // namespace bv::notification
