// One client of an event stream, in its audience's strand.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

#include "services/notification/sse/audience.h"

namespace bv::notification {

class StreamClient : public std::enable_shared_from_this<StreamClient> {
 public:
  StreamClient(boost::asio::ip::tcp::socket socket, Audience::Place place, std::size_t waiting_bytes_max,
               StreamMetrics& metrics);
  ~StreamClient();

  // What it is sent first; and watches for its end.
  void Begin(Greeting greeting);
  void Send(const Broadcast& broadcast);
  void Send(Text text);
  // Ends the stream once `last` is written.
  void Finish(Text last);
  void Abort() { End(metrics_.drained); }
  bool has_ended() const { return has_ended_; }

 private:
  void Watch();
  // Of the first that waits, the bytes from `written_` on.
  void WriteNext();
  void Written(std::size_t bytes);
  void End(prometheus::Counter& why);

  boost::asio::ip::tcp::socket socket_;
  Audience::Place place_;
  const std::size_t waiting_bytes_max_;
  StreamMetrics& metrics_;
  std::uint64_t greeted_to_ = 0;
  std::optional<TopicFeed> feed_;
  std::deque<Text> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::size_t written_ = 0;
  bool is_writing_ = false;
  bool is_finishing_ = false;
  bool has_ended_ = false;
};

}  // namespace bv::notification
