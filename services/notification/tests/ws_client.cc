#include "services/notification/tests/ws_client.h"

#include "libs/base/strings.h"

namespace bv::notification {
namespace {

// "the sample nonce" (RFC 6455, 1.3).
constexpr std::string_view kHandshake =
    "Host: notification.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

std::uint8_t Byte(char c) {
  return static_cast<std::uint8_t>(c);
}

std::uint64_t BigEndian(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char c : bytes) number = number << 8 | Byte(c);
  return number;
}

}  // namespace

WsClient::WsClient(int port, std::string_view headers, std::string_view target) : client_(port) {
  client_.Send(Concat("GET ", target, " HTTP/1.1\r\n", kHandshake, headers, "\r\n"));
  answer_ = client_.ReceiveHead();
}

void WsClient::SendFrame(Opcode opcode, std::string_view payload) {
  std::string frame(1, static_cast<char>(0x80 | opcode));
  if (payload.size() < 126) {
    frame += static_cast<char>(0x80 | payload.size());
  } else {
    frame += static_cast<char>(0x80 | 126);
    frame += static_cast<char>(payload.size() >> 8);
    frame += static_cast<char>(payload.size());
  }
  // A mask of zeros, which leaves the payload as it is.
  frame.append(4, '\0');
  frame += payload;
  client_.Send(frame);
}

WsClient::Frame WsClient::Receive() {
  const std::string head = client_.ReceiveBytes(2);
  if (head.size() < 2) return {};
  std::uint64_t size = Byte(head[1]) & 0x7f;
  if (size == 126) size = BigEndian(client_.ReceiveBytes(2));
  if (size == 127) size = BigEndian(client_.ReceiveBytes(8));
  return {.opcode = Byte(head[0]) & 0x0f, .payload = client_.ReceiveBytes(size)};
}

std::string WsClient::Next() {
  while (true) {
    Frame frame = Receive();
    switch (frame.opcode) {
      case kText:
        return std::move(frame.payload);
      case kPing:
        ++pings_;
        if (answers_pings_) SendFrame(kPong, frame.payload);
        break;
      case kPong:
        break;
      case kClose:
        close_code_ = static_cast<int>(BigEndian(std::string_view(frame.payload).substr(0, 2)));
        close_reason_ = frame.payload.size() > 2 ? frame.payload.substr(2) : "";
        SendFrame(kClose, frame.payload.substr(0, 2));
        client_.Close();
        return "";
      default:
        return "";
    }
  }
}

std::string WsClient::NextButPosition() {
  std::string message = Next();
  while (TypeOf(message) == "position") message = Next();
  return message;
}

bool WsClient::AwaitFrame(Opcode opcode) {
  while (true) {
    const Frame frame = Receive();
    if (frame.opcode == opcode) return true;
    if (frame.opcode < 0) return false;
  }
}

std::string TextOf(const std::string& message, std::string_view name) {
  const auto object = json::Object::Read(message, {.depth_max = 16, .values_max = 100'000});
  return object.ok() ? std::string(object->Text(name)) : "";
}

std::string TypeOf(const std::string& message) {
  return TextOf(message, "type");
}

std::int64_t SeqOf(const std::string& message) {
  const auto object = json::Object::Read(message);
  return object.ok() ? object->Integer("seq").value_or(-1) : -1;
}

std::string EnvelopeOf(const std::string& message) {
  constexpr std::string_view kMember = R"(,"event":)";
  const std::size_t begin = message.find(kMember);
  return begin == std::string::npos
             ? ""
             : message.substr(begin + kMember.size(), message.size() - begin - kMember.size() - 1);
}

}  // namespace bv::notification
