// The HTTP server's reader: what arrives in pieces is what arrives at once; nothing that could be read in two
// ways comes through; and the head that a tunnel or a WebSocket gets is the request again.
//
// Input: a byte that says where the bytes of the connection are cut in two, then these bytes.
#include <absl/strings/match.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <tuple>
#include <vector>

#include "libs/base/strings.h"
#include "libs/http/connection.h"
#include "libs/http/takeover.h"
#include "libs/http/tunnel_head.h"
#include "tests/fuzz/fuzz.h"

namespace bv::fuzz {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

struct Seen {
  std::string method, path, query, body;
  std::vector<std::pair<std::string, std::string>> headers;

  bool operator==(const Seen&) const = default;
};

struct Conversation {
  std::vector<Seen> requests;
  // Of each request what the gateway's tunnels would send; empty for one that may not go through one.
  std::vector<std::string> tunnel_heads;
  // Of the connection that was taken over, if it was.
  std::string head;
  std::string answers;
};

bool IsToken(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
    return std::isalnum(c) ||
           std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) != std::string_view::npos;
  });
}

bool HasControl(std::string_view text) {
  return std::ranges::any_of(text, [](unsigned char c) { return (c < ' ' && c != '\t') || c == 0x7f; });
}

// What everything behind relies on.
void CheckRequest(const http::Request& request) {
  Require(IsToken(request.method), "the method is a token");
  Require(request.path.starts_with('/'), "the path is one");
  for (const std::string_view part : {request.path, request.query})
    Require(!HasControl(part) && part.find_first_of(" \t#") == std::string_view::npos,
            "the target is one word");
  for (const http::Header& header : request.headers) {
    Require(IsToken(header.name), "a header's name is a token");
    Require(!HasControl(header.value), "a header's value is one line");
  }
  Require(request.Count("content-length") <= 1, "one length at most");
  Require(request.Count("content-length") == 0 || request.Count("transfer-encoding") == 0,
          "the body ends in one way");
}

class Talk {
 public:
  // The connection is the handler's from the first request on if `take_over`.
  explicit Talk(bool take_over) : take_over_(take_over) {
    // No input reaches the limits of sizes: where exactly they are depends on the pieces.
    shared_->settings = {.connections_max = 1,
                         .header_bytes_max = 1 << 16,
                         .body_bytes_max = 1 << 16,
                         .body_bytes_total_max = 1 << 20,
                         .read_timeout = absl::Hours(1),
                         .idle_timeout = absl::Hours(1),
                         .write_timeout = absl::Hours(1)};
    shared_->handlers = {.handle = [this](const http::Request& request,
                                          http::Response& response) { return Handle(request, response); },
                         .refuse = [](const http::Refusal&, http::Response&) {}};
  }

  Conversation With(const std::vector<std::string_view>& pieces) {
    std::array<int, 2> ends{};
    Require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()) == 0, "there is a socket");
    asio::co_spawn(io_,
                   Serve(std::make_shared<http::Connection>(tcp::socket(io_, tcp::v4(), ends[0]), shared_)),
                   asio::detached);
    for (const std::string_view piece : pieces) {
      io_.poll();
      // Whoever has been refused hears no more.
      if (send(ends[1], piece.data(), piece.size(), MSG_NOSIGNAL) < 0) break;
    }
    shutdown(ends[1], SHUT_WR);
    io_.run();
    std::array<char, 4096> buffer;
    for (ssize_t size = 0; (size = recv(ends[1], buffer.data(), buffer.size(), 0)) > 0;)
      conversation_.answers.append(buffer.data(), static_cast<std::size_t>(size));
    close(ends[1]);
    return std::move(conversation_);
  }

 private:
  static async::Task<void> Serve(std::shared_ptr<http::Connection> connection) { co_await connection->Run(); }

  async::Task<void> Handle(const http::Request& request, http::Response& response) {
    CheckRequest(request);
    Seen& seen = conversation_.requests.emplace_back(Seen{.method = std::string(request.method),
                                                          .path = std::string(request.path),
                                                          .query = std::string(request.query),
                                                          .body = std::string(request.body)});
    for (const http::Header& header : request.headers) seen.headers.emplace_back(header.name, header.value);
    response.status = 204;
    std::string& head = conversation_.tunnel_heads.emplace_back();
    const std::vector<std::pair<std::string, std::string>> own = {{"Forwarded", ""},
                                                                  {"X-Forwarded-For", "::1"}};
    if (request.method == "GET" && request.body.empty() && request.Count("host") == 1)
      head = http::TunnelHead(request, own);
    if (take_over_) {
      response.take_over = [this](http::Takeover taken) { conversation_.head = std::move(taken.head); };
    }
    co_return;
  }

  const bool take_over_;
  asio::io_context io_{1};
  const std::shared_ptr<http::Shared> shared_ = std::make_shared<http::Shared>();
  Conversation conversation_;
};

// The status lines, without 100 Continue, which comes only to those who wait.
std::vector<std::string> StatusesOf(std::string_view answers) {
  std::vector<std::string> statuses;
  while (!answers.empty()) {
    const std::size_t end = answers.find("\r\n\r\n");
    Require(end != std::string_view::npos && answers.starts_with("HTTP/1.1 "), "an answer is whole");
    const std::string_view status = answers.substr(9, 3);
    if (status != "100") statuses.emplace_back(status);
    answers.remove_prefix(end + 4);
  }
  return statuses;
}

// Which mistake of a request is noticed first, and whether that of one that does not end is, depends on the
// pieces in which it comes.
void RequireAnswers(const Conversation& conversation) {
  const std::size_t refusals = StatusesOf(conversation.answers).size() - conversation.requests.size();
  Require(refusals <= 1, "every request is answered, and nothing after a refusal");
}

bool IsOfBody(std::string_view name) {
  constexpr std::array<std::string_view, 4> kNames = {"content-length", "transfer-encoding", "trailer",
                                                      "expect"};
  return std::ranges::any_of(kNames,
                             [name](std::string_view other) { return http::IsSameName(name, other); });
}

void CheckTunnel(const Seen& request, const std::string& head) {
  Conversation behind = Talk(false).With({head});
  Require(behind.requests.size() == 1 && StatusesOf(behind.answers).size() == 1,
          "a tunnel's head is one request");
  const Seen& received = behind.requests[0];
  Require(std::tie(received.method, received.path, received.query, received.body) ==
              std::tie(request.method, request.path, request.query, request.body),
          "a tunnel's head is the same request");
  std::vector<std::pair<std::string, std::string>> wanted;
  for (const auto& header : request.headers) {
    const bool is_replaced =
        http::IsSameName(header.first, "forwarded") || http::IsSameName(header.first, "x-forwarded-for");
    if (!is_replaced && !IsOfBody(header.first)) wanted.push_back(header);
  }
  wanted.emplace_back("X-Forwarded-For", "::1");
  Require(received.headers == wanted, "a tunnel's head has the client's headers and ours");
}

}  // namespace

void Run(std::string_view input) {
  const std::size_t cut = Choose(input, 256);
  const Conversation whole = Talk(false).With({input});
  RequireAnswers(whole);

  const std::size_t at = std::min(cut, input.size());
  const Conversation pieces = Talk(false).With({input.substr(0, at), input.substr(at)});
  Require(pieces.requests == whole.requests, "pieces are the same requests");
  RequireAnswers(pieces);

  for (std::size_t i = 0; i < whole.requests.size(); ++i)
    if (!whole.tunnel_heads[i].empty()) CheckTunnel(whole.requests[i], whole.tunnel_heads[i]);
  const Conversation taken = Talk(true).With({input});
  if (whole.requests.empty()) return;
  Require(taken.requests.size() == 1 && taken.requests[0] == whole.requests[0], "one request is taken over");
}

}  // namespace bv::fuzz
