#include "libs/http/websocket.h"

#include <absl/strings/ascii.h>
#include <absl/strings/escaping.h>
#include <absl/strings/match.h>

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <utility>

#include "libs/base/error.h"
#include "libs/base/strings.h"

namespace bv::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;

// A nonce of 16 bytes in base64 (RFC 6455, 4.1).
constexpr std::size_t kNonceBytes = 16;
// What a client's message left behind is given back when it is larger.
constexpr std::size_t kKeptBytesMax = 2 * 1024;
// Unread messages in the kernel are neither seen nor bounded by the owner.
constexpr int kSendBufferBytes = 64 * 1024;

// Whether one of the tokens of a header's list is `token`.
bool Lists(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    if (IsSameName(Std(absl::StripAsciiWhitespace(Absl(list.substr(0, comma)))), token)) return true;
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
  }
  return false;
}

absl::Status Refuse(std::string_view reason, std::string_view message, std::string_view field) {
  return Error(absl::StatusCode::kInvalidArgument, reason, message, field);
}

}  // namespace

struct WebSocket::Parts : std::enable_shared_from_this<Parts> {
  Parts(asio::ip::tcp::socket socket, const Options& options, std::shared_ptr<Listener> its_listener)
      : stream(std::move(socket)), listener(std::move(its_listener)) {
    error_code ignored;
    stream.next_layer().set_option(asio::socket_base::send_buffer_size(kSendBufferBytes), ignored);
    stream.read_message_max(options.message_bytes_max);
    // A message goes out as one frame, from where it lies.
    stream.auto_fragment(false);
    stream.text(true);
    if (!options.protocol.empty()) {
      stream.set_option(websocket::stream_base::decorator(
          [protocol = options.protocol](websocket::response_type& response) {
            response.set(beast::http::field::sec_websocket_protocol,
                         beast::string_view(protocol.data(), protocol.size()));
          }));
    }
    stream.control_callback([this](websocket::frame_type type, beast::string_view) {
      if (type != websocket::frame_type::close && listener) listener->OnControl();
    });
  }

  void Accept(std::string_view key) {
    beast::http::request<beast::http::empty_body> request(beast::http::verb::get, "/", 11);
    request.set(beast::http::field::host, "server");
    request.set(beast::http::field::upgrade, "websocket");
    request.set(beast::http::field::connection, "upgrade");
    request.set(beast::http::field::sec_websocket_version, "13");
    request.set(beast::http::field::sec_websocket_key, beast::string_view(key.data(), key.size()));
    stream.async_accept(request, [self = shared_from_this()](error_code error) {
      if (error) return self->End(close_code::kAbnormal);
      self->is_open = true;
      self->Read();
      if (self->listener) self->listener->OnOpen();
    });
  }

  void Read() {
    stream.async_read(buffer, [self = shared_from_this()](error_code error, std::size_t) {
      if (error) return self->EndReading(error);
      if (!self->is_closing && self->listener) {
        // The listener may let go of itself meanwhile.
        const std::shared_ptr<Listener> its_listener = self->listener;
        const auto bytes = self->buffer.cdata();
        if (self->stream.got_text()) {
          its_listener->OnText({static_cast<const char*>(bytes.data()), bytes.size()});
        } else {
          its_listener->OnBinary();
        }
      }
      self->buffer.consume(self->buffer.size());
      if (self->buffer.capacity() > kKeptBytesMax) self->buffer.shrink_to_fit();
      self->Read();
    });
  }

  // Reading ends when either side has closed, and by any fault of the client, upon which Beast has sent the
  // close frame that belongs to it.
  void EndReading(error_code error) {
    if (error == websocket::error::closed) return End(stream.reason().code);
    if (error == websocket::error::message_too_big) return End(websocket::close_code::too_big);
    if (error == websocket::error::bad_frame_payload) return End(websocket::close_code::bad_payload);
    if (error.category() == websocket::make_error_code(websocket::error::bad_opcode).category())
      return End(websocket::close_code::protocol_error);
    End(close_code::kAbnormal);
  }

  void Write(std::shared_ptr<const std::string> text) {
    if (!is_open || has_ended) return;
    writing = std::move(text);
    stream.async_write(asio::buffer(*writing), [self = shared_from_this()](error_code error, std::size_t) {
      self->writing.reset();
      if (error) return self->End(close_code::kAbnormal);
      if (self->listener) self->listener->OnWritten();
    });
  }

  void Ping() {
    if (!is_open || is_pinging || is_closing || has_ended) return;
    is_pinging = true;
    stream.async_ping({}, [self = shared_from_this()](error_code) { self->is_pinging = false; });
  }

  void Close(std::uint16_t code, std::string_view reason) {
    if (is_closing || has_ended) return;
    is_closing = true;
    closed_with = code;
    if (!is_open) return End(code);
    const websocket::close_reason close(static_cast<websocket::close_code>(code),
                                        beast::string_view(reason.data(), reason.size()));
    stream.async_close(close, [self = shared_from_this()](error_code) { self->End(self->closed_with); });
  }

  void End(std::uint16_t code) {
    if (has_ended) return;
    has_ended = true;
    error_code ignored;
    stream.next_layer().close(ignored);
    if (const auto last = std::exchange(listener, nullptr)) last->OnClosed(is_closing ? closed_with : code);
  }

  websocket::stream<asio::ip::tcp::socket, false> stream;
  beast::flat_buffer buffer;
  std::shared_ptr<Listener> listener;
  std::shared_ptr<const std::string> writing;
  std::uint16_t closed_with = 0;
  bool is_open = false;
  bool is_pinging = false;
  bool is_closing = false;
  bool has_ended = false;
};

absl::Status WebSocket::Check(const Request& request) {
  if (request.method != "GET" || !Lists(request.Find("connection"), "upgrade") ||
      !Lists(request.Find("upgrade"), "websocket"))
    return Refuse("UPGRADE_REQUIRED", "this path speaks WebSocket (RFC 6455)", "Upgrade");
  if (request.Find("sec-websocket-version") != "13")
    return Refuse("UPGRADE_REQUIRED", "must be 13", "Sec-WebSocket-Version");
  std::string nonce;
  if (request.Count("sec-websocket-key") != 1 ||
      !absl::Base64Unescape(Absl(request.Find("sec-websocket-key")), &nonce) || nonce.size() != kNonceBytes)
    return Refuse("MALFORMED_HANDSHAKE", "must be 16 bytes in base64", "Sec-WebSocket-Key");
  return absl::OkStatus();
}

std::string WebSocket::KeyOf(const Request& request) {
  return std::string(request.Find("sec-websocket-key"));
}

WebSocket::WebSocket(Takeover connection, const Options& options, std::shared_ptr<Listener> listener)
    : executor_(connection.socket.get_executor()),
      parts_(std::make_shared<Parts>(std::move(connection.socket), options, std::move(listener))) {}

WebSocket::~WebSocket() {
  // Nobody listens any more; what Beast has still to do ends with the socket.
  parts_->listener.reset();
  parts_->End(close_code::kAbnormal);
}

void WebSocket::Open(std::string_view key) {
  parts_->Accept(key);
}

void WebSocket::Write(std::shared_ptr<const std::string> text) {
  parts_->Write(std::move(text));
}

void WebSocket::Ping() {
  parts_->Ping();
}

void WebSocket::Close(std::uint16_t code, std::string_view reason) {
  parts_->Close(code, reason);
}

void WebSocket::Abort() {
  parts_->End(close_code::kAbnormal);
}

}  // namespace bv::http
