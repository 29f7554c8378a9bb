#include "libs/http/test_client.h"

#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "libs/base/strings.h"

namespace bv::http {

TestClient::TestClient(int port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  LimitWaits();
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) Close();
}

TestClient TestClient::Accepted(int fd) {
  TestClient client;
  client.fd_ = fd;
  client.LimitWaits();
  return client;
}

TestClient::TestClient(TestClient&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), received_(std::move(other.received_)) {}

void TestClient::LimitWaits() const {
  const timeval limit{.tv_sec = 10, .tv_usec = 0};
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

TestClient::~TestClient() {
  Close();
}

void TestClient::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

bool TestClient::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool TestClient::ReadMore() {
  std::array<char, 16 * 1024> bytes;
  const ssize_t size = recv(fd_, bytes.data(), bytes.size(), 0);
  if (size <= 0) return false;
  received_.append(bytes.data(), static_cast<std::size_t>(size));
  return true;
}

std::string TestClient::ReceiveHead() {
  std::size_t end = std::string::npos;
  while ((end = received_.find("\r\n\r\n")) == std::string::npos) {
    if (!ReadMore()) return std::exchange(received_, {});
  }
  std::string head = received_.substr(0, end + 4);
  received_.erase(0, end + 4);
  return head;
}

std::string TestClient::Receive() {
  std::string answer = ReceiveHead();
  std::size_t length = 0;
  if (!absl::SimpleAtoi(HeaderOf(answer, "content-length"), &length)) return answer;
  while (received_.size() < length && ReadMore()) {
  }
  length = std::min(length, received_.size());
  answer.append(received_, 0, length);
  received_.erase(0, length);
  return answer;
}

std::string TestClient::ReceiveBytes(std::size_t size) {
  while (received_.size() < size && ReadMore()) {
  }
  size = std::min(size, received_.size());
  std::string bytes = received_.substr(0, size);
  received_.erase(0, size);
  return bytes;
}

std::size_t TestClient::SendWhatFits(std::string_view bytes) {
  constexpr int kPatienceMillis = 200;
  std::size_t sent = 0;
  pollfd socket{.fd = fd_, .events = POLLOUT, .revents = 0};
  while (sent < bytes.size() && poll(&socket, 1, kPatienceMillis) == 1) {
    const ssize_t size = send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (size <= 0) break;
    sent += static_cast<std::size_t>(size);
  }
  return sent;
}

void TestClient::EndSending() {
  shutdown(fd_, SHUT_WR);
}

bool TestClient::IsClosedByServer() {
  char byte;
  return received_.empty() && recv(fd_, &byte, 1, 0) == 0;
}

int StatusOf(std::string_view answer) {
  int status = 0;
  if (answer.size() < 12 || !absl::SimpleAtoi(Absl(answer.substr(9, 3)), &status)) return 0;
  return status;
}

std::string HeaderOf(std::string_view answer, std::string_view name) {
  const std::string_view head = answer.substr(0, answer.find("\r\n\r\n"));
  for (std::size_t begin = head.find("\r\n"); begin != std::string_view::npos;
       begin = head.find("\r\n", begin)) {
    begin += 2;
    const std::string_view line = head.substr(begin, head.find("\r\n", begin) - begin);
    if (absl::StartsWithIgnoreCase(Absl(line), Absl(Concat(name, ": "))))
      return std::string(line.substr(name.size() + 2));
  }
  return {};
}

std::string BodyOf(std::string_view answer) {
  const std::size_t end = answer.find("\r\n\r\n");
  return end == std::string_view::npos ? std::string() : std::string(answer.substr(end + 4));
}

}  // namespace bv::http
