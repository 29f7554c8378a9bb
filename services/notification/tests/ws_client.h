// A WebSocket client that does just what a test tells it to. Every wait ends after ten seconds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "libs/http/test_client.h"
#include "libs/json/json.h"

namespace bv::notification {

class WsClient {
 public:
  // Asks for the upgrade; `headers` are lines, each with its end.
  explicit WsClient(int port, std::string_view headers = "", std::string_view target = "/ws/orders");

  // The answer to the handshake.
  const std::string& answer() const { return answer_; }
  bool is_open() const { return http::StatusOf(answer_) == 101; }

  void Say(std::string_view text) { SendFrame(kText, text); }
  enum Opcode : std::uint8_t { kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10 };
  void SendFrame(Opcode opcode, std::string_view payload);

  // The next text message; pings on the way are counted, and answered unless told otherwise. Empty when the
  // server has closed; then close_code() says how.
  std::string Next();
  // The next one that is no position of the channel.
  std::string NextButPosition();
  int close_code() const { return close_code_; }
  const std::string& close_reason() const { return close_reason_; }
  int pings() const { return pings_; }
  void IgnorePings() { answers_pings_ = false; }
  // Waits for a frame with this opcode, and drops the others.
  bool AwaitFrame(Opcode opcode);
  void Disconnect() { client_.Close(); }

 private:
  struct Frame {
    int opcode = -1;
    std::string payload;
  };
  Frame Receive();

  http::TestClient client_;
  std::string answer_;
  bool answers_pings_ = true;
  int pings_ = 0;
  int close_code_ = 0;
  std::string close_reason_;
};

// Members of a message; empty or -1 when they are not there.
std::string TypeOf(const std::string& message);
std::string TextOf(const std::string& message, std::string_view name);
std::int64_t SeqOf(const std::string& message);
// The envelope of an event, as it came.
std::string EnvelopeOf(const std::string& message);

}  // namespace bv::notification
