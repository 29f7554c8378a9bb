#include "libs/http/connection.h"

#include <absl/strings/str_cat.h>
#include <poll.h>

#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <exception>

#include "libs/base/strings.h"
#include "libs/http/gzip.h"
#include "libs/http/takeover.h"
#include "libs/http/uri.h"
#include "libs/telemetry/telemetry.h"

namespace bv::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;

constexpr std::size_t kReadBytes = 8 * 1024;
// Smaller bodies come with the header or soon after; they need no place in the total.
constexpr std::int64_t kFreeBodyBytes = 16 * 1024;
// How long a connection that says nothing is kept while draining, so that a request on its way is answered
// rather than cut off.
constexpr absl::Duration kDrainGrace = absl::Milliseconds(500);
// After the last answer, for the client to read it: closing with unread bytes would take the answer away from
// it (RFC 9112, 9.6).
constexpr absl::Duration kLinger = absl::Seconds(2);

std::string_view View(beast::string_view text) {
  return {text.data(), text.size()};
}

Refusal RefusalFor(const error_code& error) {
  if (error == beast::http::error::body_limit) return {413, "BODY_TOO_LARGE", "the body is too large"};
  if (error == beast::http::error::header_limit)
    return {431, "HEADERS_TOO_LARGE", "request line and headers are too large"};
  if (error == beast::http::error::bad_version)
    return {505, "HTTP_VERSION_NOT_SUPPORTED", "this server speaks HTTP/1.1"};
  return {400, "MALFORMED_HTTP", "the request is not valid HTTP/1.1"};
}

bool IsKnownMethod(std::string_view method) {
  // Nobody serves TRACE and QUERY, but they are known: 405.
  constexpr std::array<std::string_view, 9> kKnown = {"GET",  "POST",    "PUT",   "PATCH", "DELETE",
                                                      "HEAD", "OPTIONS", "TRACE", "QUERY"};
  return std::ranges::find(kKnown, method) != kKnown.end();
}

}  // namespace

// Beast's parser and the bytes that wait for it.
class RequestReader {
 public:
  explicit RequestReader(const Settings& settings) : settings_(settings) {}

  // For the next request of the connection; bytes that have arrived already stay.
  void Begin() {
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(settings_.header_bytes_max));
    parser_->body_limit(static_cast<std::uint64_t>(settings_.body_bytes_max));
    // Only as far as the head ends, until it has been looked at.
    parser_->eager(false);
    has_head_ = false;
  }
  bool HasBytes() const { return buffer_.size() > 0; }
  // No chunk header or trailer needs more than a header may have.
  bool IsFull() const { return buffer_.size() > static_cast<std::size_t>(settings_.header_bytes_max); }
  asio::mutable_buffer Space() { return buffer_.prepare(kReadBytes); }
  void Received(std::size_t bytes) { buffer_.commit(bytes); }

  // Sets the request's headers as soon as they are known: what Beast adds to them later stood behind the last
  // chunk, and is no header (RFC 9110, 6.5.1).
  error_code Parse(Request& request) {
    error_code error = Put();
    if (error || has_head_ || !HasHeader()) return error;
    has_head_ = true;
    for (const auto& field : parser_->get())
      request.headers.push_back({View(field.name_string()), View(field.value())});
    parser_->eager(true);
    return Put();
  }
  bool HasHeader() const { return parser_->is_header_done(); }
  bool IsDone() const { return parser_->is_done(); }
  bool KeepsAlive() const { return parser_->keep_alive(); }
  bool IsChunked() const { return parser_->chunked(); }
  int version() const { return static_cast<int>(parser_->get().version()); }
  // What was parsed of request line and headers, with the blank line.
  std::string Head(const Request& request) const {
    const auto& message = parser_->get();
    std::string head = Concat(View(message.method_string()), " ", View(message.target()), " HTTP/",
                              version() / 10, ".", version() % 10, "\r\n");
    for (const Header& header : request.headers)
      absl::StrAppend(&head, Absl(header.name), ": ", Absl(header.value), "\r\n");
    return head += "\r\n";
  }
  // What has come behind the request.
  std::string Rest() const { return {static_cast<const char*>(buffer_.data().data()), buffer_.size()}; }
  // Of the body that has not arrived; the most it may be when it comes in chunks.
  std::int64_t BytesToCome() const {
    const auto remaining = parser_->content_length_remaining();
    return remaining ? static_cast<std::int64_t>(*remaining) : settings_.body_bytes_max;
  }

  // False when the target is none.
  bool FillIn(Request& request) const {
    const auto& message = parser_->get();
    request.method = View(message.method_string());
    request.body = message.body();
    return SplitTarget(View(message.target()), request.path, request.query);
  }

 private:
  error_code Put() {
    error_code error;
    if (!HasBytes() || IsDone()) return error;
    buffer_.consume(parser_->put(buffer_.data(), error));
    return error == beast::http::error::need_more ? error_code() : error;
  }

  const Settings& settings_;
  beast::flat_buffer buffer_;
  bool has_head_ = false;
  std::optional<beast::http::request_parser<beast::http::string_body>> parser_;
};

namespace {

// What the header alone rules out.
std::optional<Refusal> CheckHeader(const RequestReader& reader, const Request& request) {
  if (!IsKnownMethod(request.method))
    return Refusal{501, "METHOD_NOT_IMPLEMENTED", "the method is not known here"};
  if (request.Count("transfer-encoding") > 0 &&
      (!reader.IsChunked() || !IsSameName(request.Find("transfer-encoding"), "chunked"))) {
    return Refusal{501, "TRANSFER_ENCODING_NOT_IMPLEMENTED",
                   "of the transfer encodings only chunked is known here"};
  }
  if (request.Count("content-length") > 1)
    return Refusal{400, "MALFORMED_HTTP", "one header Content-Length is enough"};
  if (reader.version() == 11 && request.Count("host") != 1)
    return Refusal{400, "MALFORMED_HTTP", "one header Host is needed"};
  if (const auto expect = request.Find("expect"); !expect.empty() && !IsSameName(expect, "100-continue")) {
    return Refusal{417, "EXPECTATION_FAILED", "of the expectations only 100-continue is known here"};
  }
  return std::nullopt;
}

bool WantsContinue(const RequestReader& reader, const Request& request) {
  return reader.version() == 11 && !request.Find("expect").empty();
}

std::string AddressOf(const asio::ip::tcp::socket& socket) {
  error_code gone;
  const auto endpoint = socket.remote_endpoint(gone);
  return gone ? std::string() : endpoint.address().to_string();
}

}  // namespace

Connection::Connection(asio::ip::tcp::socket socket, std::shared_ptr<Shared> shared)
    : socket_(std::move(socket)), client_address_(AddressOf(socket_)), shared_(std::move(shared)) {
  const std::lock_guard lock(shared_->mutex);
  shared_->open.insert(this);
  shared_->metrics.Opened();
}

Connection::~Connection() {
  FreeRoom();
  shared_->metrics.Closed();
  const std::lock_guard lock(shared_->mutex);
  shared_->open.erase(this);
  if (shared_->open.empty()) shared_->none_open.notify_all();
}

async::Task<void> Connection::Run() {
  RequestReader reader(shared_->settings);
  for (bool open = true; open;) {
    const Arrival arrival = co_await Read(reader);
    if (arrival == Arrival::kEnd) co_return;
    const auto arrived = Clock::now();
    if (arrival == Arrival::kRequest) co_await Handle();
    FreeRoom();
    if (response_.hang_up) co_return;
    if (response_.take_over) co_return GiveAway(reader);
    const bool keep = arrival == Arrival::kRequest && reader.KeepsAlive() &&
                      !shared_->draining.load(std::memory_order_relaxed);
    const bool written = co_await Write(keep ? Persistence::kKeepAlive : Persistence::kClose);
    shared_->metrics.Answered(response_.route, response_.status, absl::FromChrono(Clock::now() - arrived));
    if (!written) co_return;
    open = keep;
  }
  co_await Linger();
}

async::Task<Connection::Arrival> Connection::Read(RequestReader& reader) {
  reader.Begin();
  request_ = Request{.headers = std::move(request_.headers), .client_address = client_address_};
  request_.headers.clear();
  response_.Clear();
  if (reader.HasBytes()) {
    Enter(Phase::kReading, shared_->settings.read_timeout);
  } else {
    Enter(Phase::kIdle, shared_->settings.idle_timeout);
  }
  for (bool header_taken = false;;) {
    std::optional<Refusal> refusal;
    if (const error_code error = reader.Parse(request_)) {
      // As far as it is known, for the answer to HEAD.
      if (reader.HasHeader()) reader.FillIn(request_);
      refusal = RefusalFor(error);
    } else if (reader.HasHeader() && !header_taken) {
      header_taken = true;
      refusal = TakeHeader(reader);
      if (!refusal && reader.IsDone()) co_return Arrival::kRequest;
      if (!refusal && WantsContinue(reader, request_) && !co_await WriteContinue()) co_return Arrival::kEnd;
    } else if (reader.IsDone()) {
      // The body may have moved while it grew.
      reader.FillIn(request_);
      co_return Arrival::kRequest;
    } else if (reader.IsFull()) {
      refusal = RefusalFor(beast::http::error::header_limit);
    }
    if (refusal) {
      Refuse(*refusal);
      co_return Arrival::kRefused;
    }
    if (const Arrival arrival = co_await ReadMore(reader); arrival != Arrival::kRequest) co_return arrival;
  }
}

async::Task<Connection::Arrival> Connection::ReadMore(RequestReader& reader) {
  error_code error;
  const std::size_t bytes =
      co_await socket_.async_read_some(reader.Space(), asio::redirect_error(asio::use_awaitable, error));
  // A request that came just as the idle time ended is answered.
  if (!error && phase_ == Phase::kIdle) expired_ = false;
  if (expired_ && phase_ == Phase::kReading) {
    Refuse({408, "REQUEST_TIMEOUT", "the request took too long to arrive"});
    co_return Arrival::kRefused;
  }
  if (error) co_return Arrival::kEnd;
  if (phase_ == Phase::kIdle) Enter(Phase::kReading, shared_->settings.read_timeout);
  reader.Received(bytes);
  co_return Arrival::kRequest;
}

std::optional<Refusal> Connection::TakeHeader(const RequestReader& reader) {
  const bool has_path = reader.FillIn(request_);
  if (auto refusal = CheckHeader(reader, request_)) return refusal;
  if (!has_path) return Refusal{400, "MALFORMED_HTTP", "the request target is not a path"};
  if (!reader.IsDone() && !HasRoomFor(reader.BytesToCome())) {
    return Refusal{503, "OVERLOADED", "too many large requests at once"};
  }
  return std::nullopt;
}

async::Task<void> Connection::Handle() {
  Enter(Phase::kHandling, absl::InfiniteDuration());
  stop_ = std::stop_source();
  request_.stop = stop_.get_token();
  bool failed = false;
  try {
    co_await shared_->handlers.handle(request_, response_);
  } catch (const std::exception& exception) {
    telemetry::Log(telemetry::Level::kError, "request handler failed", {{"error", exception.what()}});
    failed = true;
  }
  if (failed) {
    response_.Clear();
    Refuse({500, "INTERNAL", "internal error"});
  }
  Compress(request_, response_);
}

async::Task<bool> Connection::Write(Persistence persistence) {
  Enter(Phase::kWriting, shared_->settings.write_timeout);
  head_.clear();
  AppendHead(response_, persistence, head_);
  const bool has_body = request_.method != "HEAD" && !HasNoBody(response_.status);
  const std::array<asio::const_buffer, 2> buffers = {
      asio::buffer(head_), asio::buffer(response_.body.data(), has_body ? response_.body.size() : 0)};
  error_code error;
  co_await asio::async_write(socket_, buffers, asio::redirect_error(asio::use_awaitable, error));
  co_return !error;
}

async::Task<bool> Connection::WriteContinue() {
  constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  error_code error;
  co_await asio::async_write(socket_, asio::buffer(kContinue),
                             asio::redirect_error(asio::use_awaitable, error));
  co_return !error;
}

async::Task<void> Connection::Linger() {
  Enter(Phase::kLingering, kLinger);
  error_code error;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, error);
  std::array<char, kReadBytes> discarded;
  while (!error && !expired_) {
    co_await socket_.async_read_some(asio::buffer(discarded),
                                     asio::redirect_error(asio::use_awaitable, error));
  }
}

void Connection::GiveAway(const RequestReader& reader) {
  const auto take_over = std::move(response_.take_over);
  take_over({.socket = std::move(socket_), .head = reader.Head(request_), .rest = reader.Rest()});
}

bool Connection::HasRoomFor(std::int64_t bytes) {
  if (bytes <= kFreeBodyBytes) return true;
  room_ = bytes;
  return shared_->body_bytes.fetch_add(bytes, std::memory_order_relaxed) + bytes <=
         shared_->settings.body_bytes_total_max;
}

void Connection::FreeRoom() {
  if (room_ != 0) shared_->body_bytes.fetch_sub(room_, std::memory_order_relaxed);
  room_ = 0;
}

void Connection::Refuse(const Refusal& refusal) {
  response_.status = refusal.status;
  shared_->handlers.refuse(refusal, response_);
}

void Connection::Enter(Phase phase, absl::Duration limit) {
  phase_.store(phase, std::memory_order_relaxed);
  late_at_.store(limit == absl::InfiniteDuration() ? Clock::time_point::max()
                                                   : Clock::now() + absl::ToChronoNanoseconds(limit),
                 std::memory_order_relaxed);
}

// --- What the sweep does

bool Connection::IsLate(Clock::time_point now) const {
  return now >= late_at_.load(std::memory_order_relaxed);
}

void Connection::Sweep(Clock::time_point now) {
  const Phase phase = phase_.load(std::memory_order_relaxed);
  const bool draining_idle = phase == Phase::kIdle && shared_->draining.load(std::memory_order_relaxed);
  if (phase != Phase::kHandling && !draining_idle && !IsLate(now)) return;
  // Null while the last owner is letting go.
  if (auto self = weak_from_this().lock()) {
    asio::post(socket_.get_executor(), [self = std::move(self), now] { self->SweepInStrand(now); });
  }
}

void Connection::SweepInStrand(Clock::time_point now) {
  const Phase phase = phase_.load(std::memory_order_relaxed);
  if (phase == Phase::kHandling) {
    if (HasClientGone()) stop_.request_stop();
    return;
  }
  if (phase == Phase::kIdle && shared_->draining.load(std::memory_order_relaxed)) {
    const auto grace_end = now + absl::ToChronoNanoseconds(kDrainGrace);
    if (late_at_.load(std::memory_order_relaxed) > grace_end)
      late_at_.store(grace_end, std::memory_order_relaxed);
  }
  if (!IsLate(now)) return;
  error_code ignored;
  if (phase == Phase::kWriting) {
    socket_.close(ignored);
  } else {
    expired_ = true;
    socket_.cancel(ignored);
  }
}

// Sees the end of the client's stream even behind bytes of a pipelined request, which reading would not.
bool Connection::HasClientGone() {
  pollfd socket{.fd = socket_.native_handle(), .events = POLLRDHUP, .revents = 0};
  return poll(&socket, 1, 0) == 1 && (socket.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

void Connection::Abort() {
  if (auto self = weak_from_this().lock()) {
    asio::post(socket_.get_executor(), [self = std::move(self)] {
      self->stop_.request_stop();
      error_code ignored;
      self->socket_.close(ignored);
    });
  }
}

}  // namespace bv::http
