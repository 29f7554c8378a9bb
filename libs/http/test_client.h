// A client that sends exactly the bytes it is told to, for tests of the server and of the gateway.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace bv::http {

class TestClient {
 public:
  // Connects to 127.0.0.1. Every wait ends after ten seconds.
  explicit TestClient(int port);
  // The other end of a connection that was accepted.
  static TestClient Accepted(int fd);
  TestClient(TestClient&& other) noexcept;
  ~TestClient();
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;

  // False when the server has closed.
  bool Send(std::string_view bytes);
  // One answer, head and body; what has come of it when the server closes earlier. A body is read by its
  // Content-Length.
  std::string Receive();
  // As Receive, for the answer to HEAD.
  std::string ReceiveHead();
  // So many bytes; fewer when the server closes earlier.
  std::string ReceiveBytes(std::size_t size);
  // Closes the sending side only.
  void EndSending();
  // True when the server closes without sending more.
  bool IsClosedByServer();
  // So many of `bytes` as are taken without waiting for long.
  std::size_t SendWhatFits(std::string_view bytes);
  // Closes both directions.
  void Close();

 private:
  TestClient() = default;
  bool ReadMore();
  void LimitWaits() const;
  int fd_ = -1;
  std::string received_;
};

int StatusOf(std::string_view answer);
// The value of a header; empty when there is none.
std::string HeaderOf(std::string_view answer, std::string_view name);
std::string BodyOf(std::string_view answer);

}  // namespace bv::http
