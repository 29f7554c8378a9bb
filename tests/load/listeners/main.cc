// Thousands of WebSockets or event streams that only listen, from one thread. Opens them, says so by a line
// of JSON, listens until its standard input ends, and prints what came as a second one.
//   listeners --address=HOST:PORT --connections=10000 --tokens=FILE           WebSockets, each on its channel
//   me listeners --address=HOST:PORT --connections=10000 --path=/sse/flash-sales?tenant=…   event streams
#include <absl/flags/flag.h>
#include <absl/flags/parse.h>
#include <absl/flags/usage.h>
#include <absl/strings/str_format.h>
#include <absl/time/clock.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "libs/base/strings.h"

ABSL_FLAG(std::string, address, "", "host:port");
ABSL_FLAG(int, connections, 1, "how many");
ABSL_FLAG(std::string, tokens, "", "WebSockets: file with a token a line, one a connection");
ABSL_FLAG(std::string, path, "", "event streams: what is asked for");
ABSL_FLAG(int, opening, 100, "connections that are being opened at once");

namespace bv::load {
namespace {

constexpr int kInput = STDIN_FILENO;
// The payload of a measured event begins with it: seconds since 1970, of the insert.
constexpr std::string_view kMark = R"("insertedAt":)";

// {"type":"subscribe","channel":"me"} in a masked frame, whose mask is 0.
std::string Subscription() {
  const std::string text = R"({"type":"subscribe","channel":"me"})";
  return Concat("\x81", std::string(1, static_cast<char>(0x80 | text.size())), std::string(4, '\0'), text);
}

struct Listener {
  int fd = -1;
  bool is_open = false;
  bool has_subscribed = false;
  // The end of what came, for a mark or a number that is cut in two.
  std::string rest;
};

struct Report {
  std::int64_t opened = 0;
  std::int64_t lost = 0;
  // By the moment at which an event was inserted, as it is written.
  std::map<std::string, std::vector<double>> seconds_of;
};

double Percentile(std::vector<double>& values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const auto rank = static_cast<std::size_t>(std::ceil(static_cast<double>(values.size()) * share));
  return values[std::max<std::size_t>(rank, 1) - 1];
}

class Crowd {
 public:
  explicit Crowd(std::vector<std::string> tokens) : tokens_(std::move(tokens)), epoll_(epoll_create1(0)) {
    listeners_.resize(static_cast<std::size_t>(absl::GetFlag(FLAGS_connections)));
  }

  bool Resolve(const std::string& address) {
    const std::size_t colon = address.rfind(':');
    if (colon == std::string::npos) return false;
    const addrinfo hints{.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    return getaddrinfo(address.substr(0, colon).c_str(), address.substr(colon + 1).c_str(), &hints,
                       &address_) == 0;
  }

  void Open() {
    for (int i = 0; i < absl::GetFlag(FLAGS_opening); ++i) OpenNext();
    while (report_.opened + report_.lost < static_cast<std::int64_t>(listeners_.size())) Turn();
  }

  // Until the input ends.
  void Listen() {
    Watch(kInput, listeners_.size());
    while (!is_over_) Turn();
  }

  const Report& report() const { return report_; }

 private:
  void Watch(int fd, std::size_t number) const {
    epoll_event event{.events = EPOLLIN, .data = {.u64 = number}};
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }

  void OpenNext() {
    if (next_ == listeners_.size()) return;
    const std::size_t number = next_++;
    Listener& listener = listeners_[number];
    listener.fd = socket(address_->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const std::string head = HeadOf(number);
    const int on = 1;
    setsockopt(listener.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(listener.fd, address_->ai_addr, address_->ai_addrlen) != 0 ||
        send(listener.fd, head.data(), head.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(head.size()))
      return Lose(listener);
    Watch(listener.fd, number);
  }

  std::string HeadOf(std::size_t number) const {
    const std::string path = absl::GetFlag(FLAGS_path);
    if (!path.empty()) return Concat("GET ", path, " HTTP/1.1\r\nHost: bench\r\n\r\n");
    return Concat("GET /ws/orders HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
                  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
                  "Authorization: Bearer ", tokens_[number % tokens_.size()], "\r\n\r\n");
  }

  void Lose(Listener& listener) {
    if (listener.fd >= 0) close(listener.fd);
    listener.fd = -1;
    ++report_.lost;
    if (!listener.is_open) OpenNext();
  }

  void Turn() {
    std::array<epoll_event, 512> events;
    const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      const std::size_t number = events[static_cast<std::size_t>(i)].data.u64;
      if (number == listeners_.size()) {
        char byte;
        is_over_ = read(kInput, &byte, 1) <= 0;
      } else {
        Read(listeners_[number]);
      }
    }
  }

  void Read(Listener& listener) {
    std::array<char, 16 * 1024> bytes;
    const ssize_t size = recv(listener.fd, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (size < 0) return;
    if (size == 0) return Lose(listener);
    const double now = absl::ToDoubleSeconds(absl::Now() - absl::UnixEpoch());
    listener.rest.append(bytes.data(), static_cast<std::size_t>(size));
    if (!listener.is_open) Greet(listener);
    if (listener.fd >= 0) Find(listener, now);
  }

  // The first answer, once it is there.
  void Greet(Listener& listener) {
    if (!listener.has_subscribed && listener.rest.starts_with("HTTP/1.1 101") &&
        listener.rest.find("\r\n\r\n") != std::string::npos) {
      listener.has_subscribed = true;
      const std::string frame = Subscription();
      if (send(listener.fd, frame.data(), frame.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(frame.size()))
        return Lose(listener);
    }
    const bool is_there = listener.rest.find(R"("subscribed")") != std::string::npos ||
                          listener.rest.find("event: snapshot") != std::string::npos;
    if (!is_there) return;
    listener.is_open = true;
    ++report_.opened;
    OpenNext();
  }

  void Find(Listener& listener, double now) {
    std::string& rest = listener.rest;
    std::size_t from = 0;
    for (std::size_t at = rest.find(kMark); at != std::string::npos; at = rest.find(kMark, from)) {
      const std::size_t begin = at + kMark.size();
      const std::size_t end = rest.find_first_not_of("0123456789.", begin);
      if (end == std::string::npos) break;
      const std::string inserted = rest.substr(begin, end - begin);
      report_.seconds_of[inserted].push_back(now - std::strtod(inserted.c_str(), nullptr));
      from = end;
    }
    constexpr std::size_t kKept = 64;
    if (listener.is_open) rest.erase(0, std::max(from, rest.size() - std::min(rest.size(), kKept)));
    if (rest.empty()) rest.shrink_to_fit();
  }

  const std::vector<std::string> tokens_;
  const int epoll_;
  addrinfo* address_ = nullptr;
  std::vector<Listener> listeners_;
  std::size_t next_ = 0;
  bool is_over_ = false;
  Report report_;
};

void Print(const Report& report) {
  std::vector<double> all;
  std::vector<double> slowest;
  for (const auto& [inserted, seconds] : report.seconds_of) {
    all.insert(all.end(), seconds.begin(), seconds.end());
    slowest.push_back(*std::max_element(seconds.begin(), seconds.end()));
  }
  std::cout
      << absl::StrFormat(
             R"({"opened": %d, "lost": %d, "events": %d, "messages": %d, "p50_ms": %.2f, "p99_ms": %.2f, "max_ms": %.2f, "all_p50_ms": %.2f, "all_max_ms": %.2f})",
             report.opened, report.lost, report.seconds_of.size(), all.size(), Percentile(all, 0.5) * 1e3,
             Percentile(all, 0.99) * 1e3, Percentile(all, 1) * 1e3, Percentile(slowest, 0.5) * 1e3,
             Percentile(slowest, 1) * 1e3)
      << std::endl;
}

int Run() {
  std::vector<std::string> tokens;
  std::ifstream file(absl::GetFlag(FLAGS_tokens));
  for (std::string line; std::getline(file, line);) tokens.push_back(line);
  if (tokens.empty() && absl::GetFlag(FLAGS_path).empty()) {
    std::cerr << "--tokens or --path is needed\n";
    return 2;
  }
  Crowd crowd(std::move(tokens));
  if (!crowd.Resolve(absl::GetFlag(FLAGS_address))) {
    std::cerr << "--address must be host:port\n";
    return 2;
  }
  crowd.Open();
  Print(crowd.report());
  crowd.Listen();
  Print(crowd.report());
  return 0;
}

}  // namespace
}  // namespace bv::load

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("listens on many WebSockets or event streams; see tests/load/README.md");
  absl::ParseCommandLine(argc, argv);
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  return bv::load::Run();
}
