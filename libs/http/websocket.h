// The server's end of a WebSocket (RFC 6455): text messages only, without compression, with little memory for
// one that is idle (services/notification/README.md has a figure).
//
//   if (absl::Status refused = WebSocket::Check(request); !refused.ok()) …
//   response.status = 101;
//   response.take_over = [key = WebSocket::KeyOf(request)](Takeover connection) {
//     auto socket = std::make_unique<WebSocket>(std::move(connection), options, listener);
//     socket->Open(key);
//   };
//
// Everything happens in the connection's strand: the functions are called there, and call the listener there.
#pragma once

#include <absl/status/status.h>

#include <boost/asio/any_io_executor.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "libs/http/message.h"
#include "libs/http/takeover.h"

namespace bv::http {

// RFC 6455, 7.4.1; from 4000 on an application's own.
namespace close_code {
inline constexpr std::uint16_t kGoingAway = 1001;
inline constexpr std::uint16_t kUnknownData = 1003;
// There was none: the connection broke.
inline constexpr std::uint16_t kAbnormal = 1006;
inline constexpr std::uint16_t kPolicy = 1008;
inline constexpr std::uint16_t kServiceRestart = 1012;
}  // namespace close_code

class WebSocket {
 public:
  struct Options {
    // A larger message closes the connection with 1009.
    std::size_t message_bytes_max = 0;
    // The answer's Sec-WebSocket-Protocol; empty: none.
    std::string protocol;
  };

  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void OnOpen() = 0;
    // A whole message, valid UTF-8; the text lives until this returns.
    virtual void OnText(std::string_view text) = 0;
    // A message that is no text has come; Close with kUnknownData says so.
    virtual void OnBinary() = 0;
    // A ping or a pong has come; pings are answered already.
    virtual void OnControl() = 0;
    // What was written last has gone to the socket: the next one may follow.
    virtual void OnWritten() = 0;
    // The connection has ended, with the code of its first close frame; called once, as the last.
    virtual void OnClosed(std::uint16_t code) = 0;
  };

  // Refuses what cannot be upgraded: INVALID_ARGUMENT, reason UPGRADE_REQUIRED (HTTP 426) or
  // MALFORMED_HANDSHAKE.
  static absl::Status Check(const Request& request);
  static std::string KeyOf(const Request& request);

  // `listener` is kept until OnClosed.
  WebSocket(Takeover connection, const Options& options, std::shared_ptr<Listener> listener);
  // Closes the socket at once, if it is open.
  ~WebSocket();
  WebSocket(const WebSocket&) = delete;
  WebSocket& operator=(const WebSocket&) = delete;

  // Answers the handshake, and reads until the end.
  void Open(std::string_view key);
  // One message at a time: not before OnOpen, nor between a Write and its OnWritten.
  void Write(std::shared_ptr<const std::string> text);
  // Leaves one out that would follow another which has not gone yet.
  void Ping();
  // After what is being written, a close frame goes out and the client's is awaited, for as long as it takes;
  // only the first Close counts. `reason` has at most 123 bytes.
  void Close(std::uint16_t code, std::string_view reason);
  // Ends the connection at once.
  void Abort();

  const boost::asio::any_io_executor& executor() const { return executor_; }

 private:
  struct Parts;
  const boost::asio::any_io_executor executor_;
  const std::shared_ptr<Parts> parts_;
};

}  // namespace bv::http
