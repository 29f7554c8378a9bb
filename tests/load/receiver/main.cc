// Receiver of webhooks for webhooks.py: answers at once and remembers what came when, at some 5 µs of a
// processor a request.
//
//   POST /ok/<name>       200
//   POST /busy/<name>     503
//   POST /dead/<name>     no answer, ever
//   GET  /arrivals        what came since the last such call, a line each: name, microseconds since 1970 of
//                         the wall clock, the partition key in the body
//
// Prints the port that it took. Ends with its standard input.
#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

struct Arrival {
  std::string name;
  std::int64_t micros;
  std::string key;
};
std::vector<Arrival> arrivals;

std::string_view Between(std::string_view text, std::string_view before, std::string_view after) {
  const std::size_t begin = text.find(before);
  if (begin == std::string_view::npos) return "";
  text.remove_prefix(begin + before.size());
  return text.substr(0, text.find(after));
}

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  explicit Connection(tcp::socket socket) : socket_(std::move(socket)) {}

  void Read() {
    socket_.async_read_some(
        asio::buffer(buffer_),
        [self = shared_from_this()](const boost::system::error_code& error, std::size_t size) {
          if (error) return;
          self->received_.append(self->buffer_.data(), size);
          self->AnswerWhole();
        });
  }

 private:
  void AnswerWhole() {
    while (TakeOne()) {
    }
    if (answers_.empty()) return Read();
    asio::async_write(socket_, asio::buffer(answers_),
                      [self = shared_from_this()](const boost::system::error_code& error, std::size_t) {
                        self->answers_.clear();
                        if (!error) self->Read();
                      });
  }

  // Whether there was a whole request.
  bool TakeOne() {
    const std::string_view received = received_;
    const std::size_t head_end = received.find("\r\n\r\n");
    if (head_end == std::string_view::npos) return false;
    const std::string_view head = received.substr(0, head_end + 2);
    const std::string_view length = Between(head, "Content-Length: ", "\r\n");
    std::size_t body_size = 0;
    if (!length.empty() && !absl::SimpleAtoi(absl::string_view(length.data(), length.size()), &body_size))
      return false;
    const std::size_t size = head_end + 4 + body_size;
    if (received.size() < size) return false;
    Answer(Between(head, " /", " "), received.substr(head_end + 4, body_size));
    received_.erase(0, size);
    return true;
  }

  void Answer(std::string_view path, std::string_view body) {
    if (path == "arrivals") return Tell();
    const std::size_t slash = path.find('/');
    const std::string_view kind = path.substr(0, slash);
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    arrivals.push_back({std::string(slash == std::string_view::npos ? "" : path.substr(slash + 1)),
                        std::chrono::duration_cast<std::chrono::microseconds>(now).count(),
                        std::string(Between(body, "\"partitionKey\":\"", "\""))});
    if (kind == "ok") answers_ += "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    if (kind == "busy") answers_ += "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
  }

  void Tell() {
    std::string lines;
    for (const Arrival& arrival : std::exchange(arrivals, {}))
      absl::StrAppend(&lines, arrival.name, " ", arrival.micros, " ", arrival.key, "\n");
    absl::StrAppend(&answers_, "HTTP/1.1 200 OK\r\nContent-Length: ", lines.size(), "\r\n\r\n", lines);
  }

  tcp::socket socket_;
  std::array<char, 16384> buffer_;
  std::string received_;
  std::string answers_;
};

void Accept(tcp::acceptor& acceptor) {
  acceptor.async_accept([&acceptor](const boost::system::error_code& error, tcp::socket socket) {
    if (!error) {
      socket.set_option(tcp::no_delay(true));
      std::make_shared<Connection>(std::move(socket))->Read();
    }
    Accept(acceptor);
  });
}

}  // namespace

int main() {
  asio::io_context io(1);
  tcp::acceptor acceptor(io, {asio::ip::make_address("127.0.0.1"), 0});
  acceptor.listen(4096);
  std::cout << acceptor.local_endpoint().port() << std::endl;
  Accept(acceptor);
  asio::posix::stream_descriptor input(io, dup(STDIN_FILENO));
  char ignored;
  input.async_read_some(asio::buffer(&ignored, 1),
                        [&io](const boost::system::error_code&, std::size_t) { io.stop(); });
  io.run();
}
