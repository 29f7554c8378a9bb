#include "tests/load/loadgen/connection.h"

#include <absl/cleanup/cleanup.h>
#include <absl/strings/escaping.h>
#include <absl/strings/numbers.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <utility>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"

namespace bv::load {
namespace {

// Enough that no answer ever waits for the window to be opened.
constexpr std::int32_t kWindowBytes = 1 << 24;
// What Flush gathers for one send.
constexpr std::size_t kSendBytes = 1 << 16;

nghttp2_nv Header(std::string_view name, std::string_view value) {
  const auto bytes = [](std::string_view text) {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
  };
  return {.name = bytes(name),
          .value = bytes(value),
          .namelen = name.size(),
          .valuelen = value.size(),
          .flags = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
}

std::string_view Text(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

// Connected; -1 when nobody listens.
int Dial(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string::npos) return -1;
  const addrinfo hints{.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
  addrinfo* found = nullptr;
  if (getaddrinfo(address.substr(0, colon).c_str(), address.substr(colon + 1).c_str(), &hints, &found) != 0)
    return -1;
  const absl::Cleanup free = [found] { freeaddrinfo(found); };
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    const int fd = socket(each->ai_family, each->ai_socktype | SOCK_CLOEXEC, each->ai_protocol);
    if (fd >= 0 && connect(fd, each->ai_addr, each->ai_addrlen) == 0) return fd;
    if (fd >= 0) close(fd);
  }
  return -1;
}

}  // namespace

struct Connection::Stream {
  Moment due;
  std::string request;
  std::size_t sent = 0;
  // Of the answer's trailers.
  int code = grpc::StatusCode::UNKNOWN;
  std::string message;
  std::string details;
};

struct Connection::Callbacks {
  static ssize_t ReadRequest(nghttp2_session*, std::int32_t, std::uint8_t* buffer, std::size_t size,
                             std::uint32_t* flags, nghttp2_data_source* source, void*) {
    auto* stream = static_cast<Stream*>(source->ptr);
    const std::size_t length = std::min(size, stream->request.size() - stream->sent);
    std::memcpy(buffer, stream->request.data() + stream->sent, length);
    stream->sent += length;
    if (stream->sent == stream->request.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(length);
  }

  static int OnHeader(nghttp2_session* session, const nghttp2_frame* frame, const std::uint8_t* name,
                      std::size_t name_size, const std::uint8_t* value, std::size_t value_size, std::uint8_t,
                      void*) {
    auto* stream = static_cast<Stream*>(nghttp2_session_get_stream_user_data(session, frame->hd.stream_id));
    if (stream == nullptr) return 0;
    const std::string_view header = Text(name, name_size);
    const std::string_view text = Text(value, value_size);
    if (header == "grpc-status") {
      if (!absl::SimpleAtoi(Absl(text), &stream->code)) stream->code = grpc::StatusCode::UNKNOWN;
    } else if (header == "grpc-message") {
      stream->message = text;
    } else if (header == "grpc-status-details-bin") {
      absl::Base64Unescape(Absl(text), &stream->details);
    }
    return 0;
  }

  static int OnClose(nghttp2_session*, std::int32_t id, std::uint32_t, void* user) {
    auto* connection = static_cast<Connection*>(user);
    const auto node = connection->streams_.extract(id);
    if (node.empty()) return 0;
    const Stream& stream = *node.mapped();
    connection->ended_(
        stream.due, grpc::Status(static_cast<grpc::StatusCode>(stream.code), stream.message, stream.details));
    return 0;
  }
};

Connection::Connection(const Method& method, Ended ended)
    : method_(method), ended_(std::move(ended)), timeout_(Concat(method.timeout.count(), "m")) {}

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const Method& method, Ended ended) {
  std::unique_ptr<Connection> connection(new Connection(method, std::move(ended)));
  connection->fd_ = Dial(method.address);
  if (connection->fd_ < 0)
    return Unavailable("PEER_UNAVAILABLE", Concat("nobody answers at ", method.address));
  const int on = 1;
  setsockopt(connection->fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  fcntl(connection->fd_, F_SETFL, fcntl(connection->fd_, F_GETFL) | O_NONBLOCK);

  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  const absl::Cleanup free = [callbacks] { nghttp2_session_callbacks_del(callbacks); };
  nghttp2_session_callbacks_set_on_header_callback(callbacks, Callbacks::OnHeader);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, Callbacks::OnClose);
  nghttp2_session* session = nullptr;
  nghttp2_session_client_new(&session, callbacks, connection.get());
  connection->session_.reset(session);
  const std::array settings = {
      nghttp2_settings_entry{.settings_id = NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, .value = kWindowBytes}};
  nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, kWindowBytes);
  connection->Flush();
  return connection;
}

Connection::~Connection() {
  if (fd_ >= 0) close(fd_);
}

void Connection::Start(const std::string& authorization, const std::string& message, Moment due) {
  if (fd_ < 0) return ended_(due, grpc::Status(grpc::StatusCode::UNAVAILABLE, "the connection was lost"));
  auto stream = std::make_unique<Stream>();
  stream->due = due;
  // Not compressed, and the length in network order.
  const auto size = static_cast<std::uint32_t>(message.size());
  stream->request = {'\0', static_cast<char>(size >> 24), static_cast<char>(size >> 16),
                     static_cast<char>(size >> 8), static_cast<char>(size)};
  stream->request += message;
  const std::array headers = {Header(":method", "POST"),        Header(":scheme", "http"),
                              Header(":path", method_.path),    Header(":authority", method_.address),
                              Header("te", "trailers"),         Header("content-type", "application/grpc"),
                              Header("grpc-timeout", timeout_), Header("authorization", authorization)};
  const nghttp2_data_provider body{.source = {.ptr = stream.get()}, .read_callback = Callbacks::ReadRequest};
  const std::int32_t id =
      nghttp2_submit_request(session_.get(), nullptr, headers.data(), headers.size(), &body, stream.get());
  if (id < 0) return ended_(due, grpc::Status(grpc::StatusCode::UNAVAILABLE, nghttp2_strerror(id)));
  streams_.emplace(id, std::move(stream));
}

void Connection::Flush() {
  while (fd_ >= 0) {
    while (unsent_.size() < kSendBytes) {
      const std::uint8_t* bytes = nullptr;
      const ssize_t size = nghttp2_session_mem_send(session_.get(), &bytes);
      if (size < 0) return Lose(nghttp2_strerror(static_cast<int>(size)));
      if (size == 0) break;
      unsent_ += Text(bytes, static_cast<std::size_t>(size));
    }
    if (unsent_.empty()) return;
    const ssize_t sent = send(fd_, unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (sent < 0) return Lose(std::strerror(errno));
    unsent_.erase(0, static_cast<std::size_t>(sent));
  }
}

void Connection::Read() {
  std::array<std::uint8_t, kSendBytes> buffer;
  while (fd_ >= 0) {
    const ssize_t size = recv(fd_, buffer.data(), buffer.size(), 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size <= 0) return Lose(size == 0 ? "closed by the server" : std::strerror(errno));
    const ssize_t taken =
        nghttp2_session_mem_recv(session_.get(), buffer.data(), static_cast<std::size_t>(size));
    if (taken < 0) return Lose(nghttp2_strerror(static_cast<int>(taken)));
    if (static_cast<std::size_t>(size) < buffer.size()) return;
  }
}

void Connection::Lose(const std::string& why) {
  close(std::exchange(fd_, -1));
  unsent_.clear();
  for (auto& [id, stream] : std::exchange(streams_, {}))
    ended_(stream->due, grpc::Status(grpc::StatusCode::UNAVAILABLE, why));
}

}  // namespace bv::load
