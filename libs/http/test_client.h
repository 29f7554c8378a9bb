// A client that sends exactly the bytes it is told to, for tests of the server and of the gateway.
#pragma once

#include <string>
#include <string_view>

namespace bv::http {

class TestClient {
 public:
  // Connects to 127.0.0.1. Every wait ends after ten seconds.
  explicit TestClient(int port);
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
  // True when the server closes without sending more.
  bool IsClosedByServer();
  // Closes both directions.
  void Close();

 private:
  bool ReadMore();
  int fd_;
  std::string received_;
};

int StatusOf(std::string_view answer);
// The value of a header; empty when there is none.
std::string HeaderOf(std::string_view answer, std::string_view name);
std::string BodyOf(std::string_view answer);

}  // namespace bv::http
