// A receiver that does with each connection what a test tells it to.
#pragma once

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace bv::egress {

using Socket = boost::asio::ip::tcp::socket;

// Serves every connection on a thread of its own with `serve`, after which it is closed.
class TestReceiver {
 public:
  explicit TestReceiver(std::function<void(Socket&)> serve, const char* address = "127.0.0.1")
      : serve_(std::move(serve)), acceptor_(io_, {boost::asio::ip::make_address(address), 0}) {
    thread_ = std::thread([this] { Accept(); });
  }
  ~TestReceiver() {
    boost::system::error_code ignored;
    is_closing_ = true;
    // Wakes the thread that accepts: closing the listener would not.
    Socket(io_).connect(acceptor_.local_endpoint(), ignored);
    thread_.join();
    {
      const std::lock_guard lock(mutex_);
      for (Socket& socket : sockets_) socket.shutdown(Socket::shutdown_both, ignored);
    }
    for (std::thread& thread : threads_) thread.join();
  }
  TestReceiver(const TestReceiver&) = delete;
  TestReceiver& operator=(const TestReceiver&) = delete;

  int port() const { return acceptor_.local_endpoint().port(); }
  std::string Url(std::string_view host = "127.0.0.1", std::string_view scheme = "http") const {
    return std::string(scheme) + "://" + std::string(host) + ":" + std::to_string(port()) + "/hook";
  }
  int connections() const { return connections_; }

 private:
  void Accept() {
    while (true) {
      boost::system::error_code error;
      Socket socket = acceptor_.accept(error);
      if (is_closing_) return;
      if (error) continue;
      ++connections_;
      const std::lock_guard lock(mutex_);
      Socket& kept = sockets_.emplace_back(std::move(socket));
      threads_.emplace_back([this, &kept] {
        try {
          serve_(kept);
        } catch (const boost::system::system_error&) {
          // The client has gone: that is what many of the tests are about.
        }
        const std::lock_guard closing(mutex_);
        boost::system::error_code ignored;
        kept.shutdown(Socket::shutdown_both, ignored);
      });
    }
  }

  const std::function<void(Socket&)> serve_;
  boost::asio::io_context io_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::atomic<bool> is_closing_ = false;
  std::atomic<int> connections_ = 0;
  std::mutex mutex_;
  std::list<Socket> sockets_;
  std::list<std::thread> threads_;
  std::thread thread_;
};

// One request, head and body; throws when the client closes before its end. `Stream` is a socket or TLS on
// one.
template <class Stream>
std::string ReadRequest(Stream& stream) {
  std::string request;
  const std::size_t head = boost::asio::read_until(stream, boost::asio::dynamic_buffer(request), "\r\n\r\n");
  const std::size_t length = request.find("Content-Length: ");
  const std::size_t whole = head + std::stoul(request.substr(length + 16));
  while (request.size() < whole) {
    char more[4096];
    request.append(more, stream.read_some(boost::asio::buffer(more)));
  }
  return request;
}

template <class Stream>
void Write(Stream& stream, std::string_view bytes) {
  boost::asio::write(stream, boost::asio::buffer(bytes.data(), bytes.size()));
}

// Answers every request of a connection with the same bytes.
inline std::function<void(Socket&)> AlwaysAnswer(std::string bytes) {
  return [bytes = std::move(bytes)](Socket& socket) {
    while (true) {
      ReadRequest(socket);
      Write(socket, bytes);
    }
  };
}

}  // namespace bv::egress
