// A request and its answer, as a handler sees them.
#pragma once

#include <cstddef>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace bv::http {

struct Header {
  std::string_view name;
  std::string_view value;
};

// Its texts live until the handler has returned.
struct Request {
  std::string_view method;
  // As sent, percent-encoded; it starts with '/'.
  std::string_view path;
  // What follows the '?', percent-encoded.
  std::string_view query;
  std::vector<Header> headers;
  std::string_view body;
  // Of the other end of the connection, without its port: "192.0.2.7", "2001:db8::1".
  std::string_view client_address;
  // Requested when the client has gone.
  std::stop_token stop;

  // The first value under `name`, in any case; empty when there is none.
  std::string_view Find(std::string_view name) const;
  std::size_t Count(std::string_view name) const;
};

// See takeover.h.
struct Takeover;

class Response {
 public:
  int status = 200;
  std::string body;
  // What metrics call the request by, for example "GET /api/v1/orders/{order_id}"; one of a bounded set.
  std::string_view route = "none";
  // Close the connection and answer nothing: for programs that play a broken server.
  bool hang_up = false;
  // What tells this version of the body from others, without quotes; empty when nothing does. Compressing the
  // body appends "-gzip".
  std::string etag;
  // Set: nothing is answered, and the connection is given to this function, in the connection's strand, when
  // the handler has returned. It is the function's then: no limit, time or drain of the server holds for it
  // any more.
  std::function<void(Takeover)> take_over;

  // A control character in `value` becomes a blank, so that no value can end its line.
  void AddHeader(std::string_view name, std::string_view value);
  // The answer may differ with this header of the request; all of them are one header Vary.
  void Vary(std::string_view name);
  // The added headers, as lines; those of Vary and `etag` are not among them.
  const std::string& header_lines() const { return header_lines_; }
  const std::string& vary() const { return vary_; }
  // As new; keeps the memory that the usual answer needs.
  void Clear();

 private:
  std::string header_lines_;
  std::string vary_;
};

// Why something is not taken for a request.
struct Refusal {
  int status;
  std::string_view reason;
  std::string_view detail;
};

enum class Persistence { kKeepAlive, kClose };

// True for 204 and 304: neither body nor `Content-Length`.
bool HasNoBody(int status);

// Appends status line and headers, the server's own included.
void AppendHead(const Response& response, Persistence persistence, std::string& out);

// "Not Found" for 404.
std::string_view ReasonPhrase(int status);

bool IsSameName(std::string_view a, std::string_view b);

}  // namespace bv::http
