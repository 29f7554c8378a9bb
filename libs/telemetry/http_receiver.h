// For tests only: a tiny HTTP server on a free port of the loopback that keeps what it gets. One connection
// at a time.
#pragma once

#include <absl/strings/ascii.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace bv::telemetry {

class HttpReceiver {
 public:
  struct Request {
    // Request line and header fields, lower case.
    std::string head;
    std::string body;
  };
  enum class Mode { kAnswer, kKeepSilent };

  // Answers with `statuses` in order, then with 200.
  explicit HttpReceiver(std::deque<int> statuses = {}, Mode mode = Mode::kAnswer)
      : statuses_(std::move(statuses)), mode_(mode), listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(listener_, raw, length), 0);
    EXPECT_EQ(listen(listener_, 8), 0);
    EXPECT_EQ(getsockname(listener_, raw, &length), 0);
    port_ = ntohs(address.sin_port);
    EXPECT_EQ(pipe(stop_), 0);
    thread_ = std::thread([this] { Serve(); });
  }

  ~HttpReceiver() {
    EXPECT_EQ(write(stop_[1], "x", 1), 1);
    thread_.join();
    for (const int descriptor : {listener_, stop_[0], stop_[1]}) close(descriptor);
  }
  HttpReceiver(const HttpReceiver&) = delete;
  HttpReceiver& operator=(const HttpReceiver&) = delete;

  std::string url() const { return absl::StrCat("http://127.0.0.1:", port_); }

  // Waits until there are `count` requests; fewer only after ten seconds.
  std::vector<Request> WaitForRequests(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(10), [&] { return requests_.size() >= count; });
    return requests_;
  }

 private:
  void Serve() {
    while (Readable(listener_)) {
      const int connection = accept(listener_, nullptr, nullptr);
      std::string input;
      while (Readable(connection)) {
        char buffer[16384];
        const ssize_t bytes = read(connection, buffer, sizeof(buffer));
        if (bytes <= 0) break;
        input.append(buffer, static_cast<std::size_t>(bytes));
        while (TakeRequest(input)) Answer(connection);
      }
      close(connection);
    }
  }

  // False when the receiver ends.
  bool Readable(int descriptor) {
    pollfd descriptors[] = {{descriptor, POLLIN, 0}, {stop_[0], POLLIN, 0}};
    poll(descriptors, 2, -1);
    return descriptors[1].revents == 0;
  }

  bool TakeRequest(std::string& input) {
    const auto end = input.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    Request request{.head = absl::AsciiStrToLower(input.substr(0, end))};
    std::size_t length = 0;
    if (const auto field = request.head.find("content-length: "); field != std::string::npos) {
      const auto value = request.head.substr(field + 16, request.head.find("\r\n", field) - field - 16);
      EXPECT_TRUE(absl::SimpleAtoi(value, &length));
    }
    if (input.size() < end + 4 + length) return false;
    request.body = input.substr(end + 4, length);
    input.erase(0, end + 4 + length);
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(std::move(request));
    }
    changed_.notify_all();
    return true;
  }

  void Answer(int connection) {
    if (mode_ == Mode::kKeepSilent) return;
    int status = 200;
    if (!statuses_.empty()) {
      status = statuses_.front();
      statuses_.pop_front();
    }
    const std::string answer = absl::StrCat("HTTP/1.1 ", status, " X\r\ncontent-length: 2\r\n\r\n{}");
    EXPECT_EQ(send(connection, answer.data(), answer.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(answer.size()));
  }

  std::deque<int> statuses_;
  const Mode mode_;
  int listener_;
  int stop_[2] = {};
  int port_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Request> requests_;
  std::thread thread_;
};

}  // namespace bv::telemetry
