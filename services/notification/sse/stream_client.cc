#include "services/notification/sse/stream_client.h"

#include <array>
#include <boost/asio/buffer.hpp>
#include <utility>

namespace bv::notification {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// Unread events in the kernel are neither seen nor bounded here.
constexpr int kSendBufferBytes = 64 * 1024;
constexpr std::size_t kDiscardedAtOnce = 512;

}  // namespace

StreamClient::StreamClient(tcp::socket socket, Audience::Place place, std::size_t waiting_bytes_max,
                           StreamMetrics& metrics)
    : socket_(std::move(socket)),
      place_(std::move(place)),
      waiting_bytes_max_(waiting_bytes_max),
      metrics_(metrics) {
  error_code ignored;
  socket_.non_blocking(true, ignored);
  socket_.set_option(asio::socket_base::send_buffer_size(kSendBufferBytes), ignored);
  metrics_.connections.Increment();
}

StreamClient::~StreamClient() {
  End(metrics_.gone);
}

void StreamClient::Begin(Greeting greeting) {
  greeted_to_ = greeting.number;
  feed_ = std::move(greeting.feed);
  Watch();
  Send(std::make_shared<const std::string>(std::move(greeting.text)));
}

void StreamClient::Watch() {
  socket_.async_wait(tcp::socket::wait_read, [self = shared_from_this()](error_code error) {
    std::array<char, kDiscardedAtOnce> discarded;
    if (!error) self->socket_.read_some(asio::buffer(discarded), error);
    if (error && error != asio::error::would_block) return self->End(self->metrics_.gone);
    self->Watch();
  });
}

void StreamClient::Send(const Broadcast& broadcast) {
  if (broadcast.number <= greeted_to_) return;
  Text text = broadcast.text;
  if (feed_) {
    const TopicFeed::Sending sending = feed_->Take(broadcast.event->position, *broadcast.end);
    if (!sending.is_new) return;
    if (sending.seq) {
      std::string own;
      AppendSale(*broadcast.event, *sending.seq, own);
      text = std::make_shared<const std::string>(std::move(own));
    } else {
      feed_.reset();
    }
  }
  Send(std::move(text));
  metrics_.messages_out.Increment();
}

void StreamClient::Send(Text text) {
  if (has_ended_ || is_finishing_) return;
  // A greeting may be larger than what may wait.
  if (!waiting_.empty() && waiting_bytes_ + text->size() > waiting_bytes_max_) return End(metrics_.slow);
  waiting_bytes_ += text->size();
  waiting_.push_back(std::move(text));
  WriteNext();
}

void StreamClient::Finish(Text last) {
  if (has_ended_) return;
  Send(std::move(last));
  is_finishing_ = true;
  if (waiting_.empty()) End(metrics_.drained);
}

void StreamClient::WriteNext() {
  // Most clients take what they are sent at once; the others are waited for.
  while (!is_writing_ && !has_ended_ && !waiting_.empty()) {
    error_code error;
    const std::size_t bytes = socket_.write_some(asio::buffer(*waiting_.front()) + written_, error);
    if (error == asio::error::would_block) {
      is_writing_ = true;
      socket_.async_wait(tcp::socket::wait_write, [self = shared_from_this()](error_code gone) {
        self->is_writing_ = false;
        if (gone) return self->End(self->metrics_.gone);
        self->WriteNext();
      });
    } else if (error) {
      End(metrics_.gone);
    } else {
      Written(bytes);
    }
  }
  if (is_finishing_ && waiting_.empty()) End(metrics_.drained);
}

void StreamClient::Written(std::size_t bytes) {
  written_ += bytes;
  if (written_ < waiting_.front()->size()) return;
  waiting_bytes_ -= written_;
  written_ = 0;
  waiting_.pop_front();
}

void StreamClient::End(prometheus::Counter& why) {
  if (has_ended_) return;
  has_ended_ = true;
  error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_send, ignored);
  socket_.close(ignored);
  waiting_.clear();
  place_.reset();
  why.Increment();
  metrics_.connections.Decrement();
}

}  // namespace bv::notification
