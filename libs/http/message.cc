#include "libs/http/message.h"

#include <absl/strings/match.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

#include "libs/base/strings.h"

namespace bv::http {
namespace {

// A body of this size stays allocated between the requests of a connection.
constexpr std::size_t kKeptBytesMax = 16 * 1024;

void AppendNumber(std::size_t number, std::string& out) {
  std::array<char, 20> digits;
  out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr);
}

// "Sun, 06 Nov 1994 08:49:37 GMT"
std::string_view Date() {
  thread_local std::time_t formatted = -1;
  thread_local std::array<char, 32> text;
  thread_local std::size_t size = 0;
  if (const std::time_t now = std::time(nullptr); now != formatted) {
    std::tm utc;
    gmtime_r(&now, &utc);
    size = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc);
    formatted = now;
  }
  return {text.data(), size};
}

void Shrink(std::string& text) {
  text.clear();
  if (text.capacity() > kKeptBytesMax) text.shrink_to_fit();
}

}  // namespace

std::string_view ReasonPhrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 426:
      return "Upgrade Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 499:
      return "Client Closed Request";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Unknown";
  }
}

bool IsSameName(std::string_view a, std::string_view b) {
  return a.size() == b.size() && absl::EqualsIgnoreCase(Absl(a), Absl(b));
}

std::string_view Request::Find(std::string_view name) const {
  const auto found =
      std::ranges::find_if(headers, [name](const Header& header) { return IsSameName(header.name, name); });
  return found == headers.end() ? std::string_view() : found->value;
}

std::size_t Request::Count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(headers, [name](const Header& header) { return IsSameName(header.name, name); }));
}

void Response::AddHeader(std::string_view name, std::string_view value) {
  header_lines_ += name;
  header_lines_ += ": ";
  for (const char c : value) header_lines_ += static_cast<unsigned char>(c) < ' ' || c == 0x7f ? ' ' : c;
  header_lines_ += "\r\n";
}

void Response::Vary(std::string_view name) {
  if (!vary_.empty()) vary_ += ", ";
  vary_ += name;
}

void Response::Clear() {
  status = 200;
  route = "none";
  hang_up = false;
  take_over = nullptr;
  etag.clear();
  vary_.clear();
  Shrink(body);
  Shrink(header_lines_);
}

bool HasNoBody(int status) {
  return status == 204 || status == 304;
}

void AppendHead(const Response& response, Persistence persistence, std::string& out) {
  out += "HTTP/1.1 ";
  AppendNumber(static_cast<std::size_t>(response.status), out);
  out += ' ';
  out += ReasonPhrase(response.status);
  out += "\r\nDate: ";
  out += Date();
  out += "\r\n";
  out += response.header_lines();
  if (!response.vary().empty()) {
    out += "Vary: ";
    out += response.vary();
    out += "\r\n";
  }
  if (!response.etag.empty()) {
    out += "ETag: \"";
    out += response.etag;
    out += "\"\r\n";
  }
  if (!HasNoBody(response.status)) {
    out += "Content-Length: ";
    AppendNumber(response.body.size(), out);
    out += "\r\n";
  }
  out += persistence == Persistence::kClose ? "Connection: close\r\n\r\n" : "\r\n";
}

}  // namespace bv::http
