#include "libs/egress/egress.h"

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netdb.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_future.hpp>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <future>
#include <map>

#include "libs/base/clock.h"
#include "libs/base/strings.h"
#include "libs/egress/test_receiver.h"

namespace bv::egress {
namespace {

// The name server of these tests: what it knows is answered instead of the system's. Names below ".test".
class NameServer {
 public:
  static NameServer& Get() {
    static NameServer server;
    return server;
  }
  // The answers to one question after the other; the last one stays.
  void Set(const std::string& name, std::vector<std::vector<std::string>> answers) {
    const std::lock_guard lock(mutex_);
    answers_[name] = {answers.begin(), answers.end()};
    asked_[name] = 0;
  }
  int asked(const std::string& name) {
    const std::lock_guard lock(mutex_);
    return asked_[name];
  }
  void Halt() {
    const std::lock_guard lock(mutex_);
    is_halted_ = true;
  }
  void GoOn() {
    const std::lock_guard lock(mutex_);
    is_halted_ = false;
    changed_.notify_all();
  }
  std::vector<std::string> Answer(const std::string& name) {
    std::unique_lock lock(mutex_);
    ++asked_[name];
    changed_.wait(lock, [this] { return !is_halted_; });
    auto& answers = answers_[name];
    if (answers.empty()) return {};
    std::vector<std::string> answer = answers.front();
    if (answers.size() > 1) answers.pop_front();
    return answer;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::deque<std::vector<std::string>>> answers_;
  std::map<std::string, int> asked_;
  bool is_halted_ = false;
};

}  // namespace
}  // namespace bv::egress

// Stands before the C library's, for this program and for libcurl in it.
extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints, addrinfo** result) {
  using Function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto real = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "getaddrinfo"));
  if (!name || !std::string_view(name).ends_with(".test")) return real(name, service, hints, result);
  addrinfo* first = nullptr;
  addrinfo** last = &first;
  for (const std::string& address : bv::egress::NameServer::Get().Answer(name)) {
    addrinfo numeric{};
    numeric.ai_flags = AI_NUMERICHOST;
    numeric.ai_socktype = SOCK_STREAM;
    if (real(address.c_str(), service, &numeric, last) != 0) return EAI_FAIL;
    while (*last) last = &(*last)->ai_next;
  }
  *result = first;
  return first ? 0 : EAI_NONAME;
}

namespace bv::egress {
namespace {

namespace asio = boost::asio;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kOk[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

Settings TestSettings() {
  return {.addresses = {.production = false, .allow_private = {"127.0.0.1/32"}, .ports = {"443", "8443"}},
          .connect_timeout = absl::Seconds(5),
          .timeout = absl::Seconds(5),
          .answer_bytes_max = 65536,
          .in_flight_max = 100,
          .idle_connections_max = 100,
          .lookups_max = 4,
          .lookup_keep = absl::Seconds(30)};
}

class Egress : public testing::Test {
 protected:
  explicit Egress(const Settings& settings = TestSettings()) { Use(settings); }
  ~Egress() override {
    client_.reset();
    work_.reset();
    thread_.join();
  }

  void Use(const Settings& settings) {
    absl::StatusOr<std::unique_ptr<Client>> client = Client::Create(settings);
    ASSERT_TRUE(client.ok()) << client.status();
    client_ = *std::move(client);
  }
  std::future<Outcome> Begin(const std::string& url, absl::Duration timeout = absl::ZeroDuration()) {
    Request request{.url = url,
                    .headers = {{"Content-Type", "application/json"}, {"webhook-id", "whd_1"}},
                    .body = "{\"a\":1}",
                    .timeout = timeout};
    return asio::co_spawn(io_, client_->Post(std::move(request)), asio::use_future);
  }
  Outcome Post(const std::string& url, absl::Duration timeout = absl::ZeroDuration()) {
    return Begin(url, timeout).get();
  }
  // After one connection that gets `bytes` for its request.
  Outcome After(const std::string& bytes, absl::Duration timeout = absl::ZeroDuration()) {
    const TestReceiver receiver([&bytes](Socket& socket) {
      ReadRequest(socket);
      Write(socket, bytes);
    });
    return Post(receiver.Url(), timeout);
  }

  asio::io_context io_;
  asio::executor_work_guard<asio::io_context::executor_type> work_ = asio::make_work_guard(io_);
  std::thread thread_{[this] { io_.run(); }};
  std::unique_ptr<Client> client_;
};

TEST_F(Egress, PostsAndReads) {
  std::promise<std::string> request;
  const TestReceiver receiver([&request](Socket& socket) {
    request.set_value(ReadRequest(socket));
    Write(socket, kOk);
  });
  const Outcome outcome = Post(receiver.Url());
  EXPECT_EQ(outcome.status, 200);
  EXPECT_EQ(outcome.error, ErrorClass::kNone) << outcome.detail;
  EXPECT_EQ(outcome.answer, "ok");
  EXPECT_EQ(outcome.detail, "");
  EXPECT_EQ(outcome.retry_after, std::nullopt);
  EXPECT_GT(outcome.latency, absl::ZeroDuration());
  const std::string sent = request.get_future().get();
  EXPECT_THAT(sent, testing::StartsWith("POST /hook HTTP/1.1\r\n"));
  EXPECT_THAT(sent, HasSubstr(absl::StrCat("Host: 127.0.0.1:", receiver.port())));
  EXPECT_THAT(sent, HasSubstr("Content-Type: application/json\r\n"));
  EXPECT_THAT(sent, HasSubstr("webhook-id: whd_1\r\n"));
  EXPECT_THAT(sent, testing::EndsWith("\r\n\r\n{\"a\":1}"));
}

TEST_F(Egress, KeepsConnections) {
  const TestReceiver receiver(AlwaysAnswer(kOk));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Post(receiver.Url()).status, 200);
  EXPECT_EQ(receiver.connections(), 1);
}

TEST_F(Egress, TellsEveryStatus) {
  for (const int status : {201, 202, 204, 300, 400, 401, 404, 410, 418, 429, 500, 502, 503, 504, 599}) {
    const Outcome outcome = After(absl::StrCat("HTTP/1.1 ", status, " x\r\nConnection: close\r\n\r\n"));
    EXPECT_EQ(outcome.status, status);
    EXPECT_EQ(outcome.error, ErrorClass::kNone) << outcome.detail;
  }
  EXPECT_EQ(After("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").status, 200);
}

TEST_F(Egress, FollowsNoRedirect) {
  const TestReceiver other(AlwaysAnswer(kOk));
  for (const int status : {301, 302, 303, 307, 308}) {
    const Outcome outcome = After(
        absl::StrCat("HTTP/1.1 ", status, " x\r\nLocation: ", other.Url(), "\r\nContent-Length: 0\r\n\r\n"));
    EXPECT_EQ(outcome.status, status);
    EXPECT_EQ(outcome.error, ErrorClass::kNone);
  }
  EXPECT_EQ(other.connections(), 0);
}

TEST_F(Egress, TakesNoProxyFromTheEnvironment) {
  const TestReceiver proxy(AlwaysAnswer(kOk));
  for (const char* name : {"http_proxy", "https_proxy", "ALL_PROXY", "all_proxy"})
    setenv(name, proxy.Url().c_str(), 1);
  const TestReceiver receiver(AlwaysAnswer(kOk));
  EXPECT_EQ(Post(receiver.Url()).status, 200);
  EXPECT_EQ(proxy.connections(), 0);
  for (const char* name : {"http_proxy", "https_proxy", "ALL_PROXY", "all_proxy"}) unsetenv(name);
}

TEST_F(Egress, ReadsRetryAfter) {
  EXPECT_EQ(After("HTTP/1.1 429 x\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n").retry_after,
            absl::Seconds(7));
  const absl::Time at = absl::Now() + absl::Minutes(5);
  const Outcome outcome =
      After(absl::StrCat("HTTP/1.1 503 x\r\nRetry-After: ",
                         absl::FormatTime("%a, %d %b %Y %H:%M:%S GMT", at, absl::UTCTimeZone()),
                         "\r\nContent-Length: 0\r\n\r\n"));
  ASSERT_TRUE(outcome.retry_after);
  EXPECT_LT(absl::AbsDuration(*outcome.retry_after - absl::Minutes(5)), absl::Seconds(3));
}

TEST_F(Egress, CutsOffAnAnswerThatIsTooLarge) {
  std::promise<bool> was_cut_off;
  const TestReceiver receiver([&was_cut_off](Socket& socket) {
    ReadRequest(socket);
    Write(socket, "HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
    const std::string megabyte(1'000'000, 'x');
    try {
      for (int i = 0; i < 100; ++i) Write(socket, megabyte);
      was_cut_off.set_value(false);
    } catch (const boost::system::system_error&) {
      was_cut_off.set_value(true);
    }
  });
  const Outcome outcome = Post(receiver.Url());
  EXPECT_EQ(outcome.error, ErrorClass::kAnswerTooLarge);
  EXPECT_EQ(outcome.status, 200);
  EXPECT_EQ(outcome.answer, std::string(1024, 'x'));
  EXPECT_TRUE(was_cut_off.get_future().get());
}

TEST_F(Egress, CutsOffAHeadThatIsTooLarge) {
  const std::string line = Concat("X-Long: ", std::string(10'000, 'x'), "\r\n");
  std::string head = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 10; ++i) head += line;
  EXPECT_EQ(After(head).error, ErrorClass::kAnswerTooLarge);
}

TEST_F(Egress, SilenceEndsAtTheTimeout) {
  const TestReceiver receiver([](Socket& socket) {
    ReadRequest(socket);
    ReadRequest(socket);
  });
  const Outcome outcome = Post(receiver.Url(), absl::Milliseconds(200));
  EXPECT_EQ(outcome.error, ErrorClass::kTimeout);
  EXPECT_EQ(outcome.status, 0);
  EXPECT_GE(outcome.latency, absl::Milliseconds(200));
  EXPECT_LT(outcome.latency, absl::Milliseconds(1200));
}

TEST_F(Egress, AnAnswerThatTricklesEndsAtTheTimeout) {
  const auto trickle = [](Socket& socket, std::string_view head) {
    ReadRequest(socket);
    Write(socket, head);
    asio::io_context io;
    asio::steady_timer timer(io);
    while (true) {
      Write(socket, "x");
      timer.expires_after(std::chrono::milliseconds(10));
      timer.wait();
    }
  };
  const TestReceiver body(
      [&](Socket& socket) { trickle(socket, "HTTP/1.1 202 x\r\nContent-Length: 9999\r\n\r\n"); });
  const Outcome of_body = Post(body.Url(), absl::Milliseconds(300));
  EXPECT_EQ(of_body.error, ErrorClass::kTimeout);
  EXPECT_EQ(of_body.status, 202);
  EXPECT_LT(of_body.latency, absl::Milliseconds(1300));
  const TestReceiver head([&](Socket& socket) { trickle(socket, "HTTP/1.1 200 x\r\nX-Slow: "); });
  EXPECT_EQ(Post(head.Url(), absl::Milliseconds(300)).error, ErrorClass::kTimeout);
}

TEST_F(Egress, ABrokenConnectionIsOne) {
  EXPECT_EQ(After("").error, ErrorClass::kConnection);
  EXPECT_EQ(After("no HTTP at all\r\n\r\n").error, ErrorClass::kConnection);
  const Outcome half = After("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  EXPECT_EQ(half.error, ErrorClass::kConnection);
  EXPECT_EQ(half.status, 200);
  EXPECT_EQ(half.answer, "half");
  std::string url;
  { url = TestReceiver(AlwaysAnswer(kOk)).Url(); }
  EXPECT_EQ(Post(url).error, ErrorClass::kConnection);
}

TEST_F(Egress, DecompressesNothing) {
  const Outcome outcome = After("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nzzzz");
  EXPECT_EQ(outcome.error, ErrorClass::kNone) << outcome.detail;
  EXPECT_EQ(outcome.answer, "zzzz");
}

TEST_F(Egress, RefusesAUrlThatIsNone) {
  const Outcome outcome = Post("https://user@example.com/");
  EXPECT_EQ(outcome.error, ErrorClass::kAddressRefused);
  EXPECT_EQ(outcome.detail, "must not have a user or a password");
}

// What a name server may answer to a stranger's name.
TEST_F(Egress, ConnectsToNoAddressThatIsNotPublic) {
  Settings settings = TestSettings();
  settings.addresses = {.production = true, .ports = {"443"}};
  Use(settings);
  int number = 0;
  for (const char* address : {"127.0.0.1",
                              "127.1.2.3",
                              "0.0.0.0",
                              "10.0.0.1",
                              "100.64.0.1",
                              "100.100.100.200",
                              "169.254.169.254",
                              "172.16.0.1",
                              "172.31.255.255",
                              "192.0.0.1",
                              "192.0.2.1",
                              "192.168.0.1",
                              "198.18.0.1",
                              "198.51.100.1",
                              "203.0.113.1",
                              "224.0.0.1",
                              "240.0.0.1",
                              "255.255.255.255",
                              "168.63.129.16",
                              "192.88.99.1",
                              "::",
                              "::1",
                              "::127.0.0.1",
                              "::ffff:127.0.0.1",
                              "::ffff:8.8.8.8",
                              "::ffff:0:127.0.0.1",
                              "64:ff9b::7f00:1",
                              "64:ff9b:1::1",
                              "100::1",
                              "2001::1",
                              "2001:2::1",
                              "2001:db8::1",
                              "2002:7f00:1::",
                              "3fff::1",
                              "fc00::1",
                              "fd00:ec2::254",
                              "fe80::1",
                              "fec0::1",
                              "ff02::1",
                              "4000::1"}) {
    const std::string name = absl::StrCat("host", ++number, ".test");
    NameServer::Get().Set(name, {{address}});
    const Outcome outcome = Post(Concat("https://", name, "/"));
    EXPECT_EQ(outcome.error, ErrorClass::kAddressRefused) << address << " " << outcome.detail;
    EXPECT_THAT(outcome.detail, testing::StartsWith("the host's address is ")) << address;
  }
}

TEST_F(Egress, AnAnswerThatChangesIsOfNoUse) {
  const TestReceiver receiver([](Socket& socket) { Write(socket, "no TLS"); });
  NameServer::Get().Set("changing.test", {{"127.0.0.1"}, {"127.0.0.2"}});
  Settings settings = TestSettings();
  settings.addresses.allow_private = {absl::StrCat("127.0.0.1:", receiver.port())};
  settings.addresses.ports = {absl::StrCat(receiver.port())};
  // Asks for each request.
  settings.lookup_keep = absl::ZeroDuration();
  Use(settings);
  EXPECT_EQ(Post(receiver.Url("changing.test", "https")).error, ErrorClass::kTls);
  EXPECT_EQ(receiver.connections(), 1);
  EXPECT_EQ(Post(receiver.Url("changing.test", "https")).error, ErrorClass::kAddressRefused);
  EXPECT_EQ(NameServer::Get().asked("changing.test"), 2);
}

TEST_F(Egress, OfSeveralAddressesOnlyThePublicOnesCount) {
  const TestReceiver receiver([](Socket& socket) { Write(socket, "no TLS"); });
  NameServer::Get().Set("mixed.test", {{"127.0.0.2", "10.0.0.1", "127.0.0.1"}});
  Settings settings = TestSettings();
  // libcurl goes on from an address that it could make no socket for after a half of this.
  settings.connect_timeout = absl::Milliseconds(500);
  settings.addresses.ports = {absl::StrCat(receiver.port())};
  Use(settings);
  EXPECT_EQ(Post(receiver.Url("mixed.test", "https")).error, ErrorClass::kTls);
  EXPECT_EQ(receiver.connections(), 1);
}

TEST_F(Egress, ANameIsLookedUpOnceForAllWhoWait) {
  NameServer::Get().Set("popular.test", {{"10.0.0.1"}});
  NameServer::Get().Halt();
  std::vector<std::future<Outcome>> outcomes;
  for (int i = 0; i < 50; ++i) outcomes.push_back(Begin("https://popular.test/"));
  NameServer::Get().GoOn();
  for (std::future<Outcome>& outcome : outcomes) EXPECT_EQ(outcome.get().error, ErrorClass::kAddressRefused);
  EXPECT_EQ(NameServer::Get().asked("popular.test"), 1);
}

TEST_F(Egress, AnUnknownNameIsNotAskedForAtOnceAgain) {
  NameServer::Get().Set("unknown.test", {});
  for (int i = 0; i < 3; ++i) {
    const Outcome outcome = Post("https://unknown.test/");
    EXPECT_EQ(outcome.error, ErrorClass::kConnection);
    EXPECT_THAT(outcome.detail, HasSubstr("name was not found"));
  }
  EXPECT_EQ(NameServer::Get().asked("unknown.test"), 1);
}

TEST_F(Egress, ANameServerThatHangsHoldsUpOnlyItsOwn) {
  const TestReceiver receiver(AlwaysAnswer(kOk));
  NameServer::Get().Halt();
  std::future<Outcome> hanging = Begin("https://hanging.test/", absl::Milliseconds(300));
  EXPECT_EQ(Post(receiver.Url()).status, 200);
  const Outcome outcome = hanging.get();
  EXPECT_EQ(outcome.error, ErrorClass::kTimeout);
  EXPECT_LT(outcome.latency, absl::Milliseconds(1300));
  std::future<Outcome> stopped = Begin("https://hanging.test/");
  client_->Stop();
  EXPECT_EQ(stopped.get().error, ErrorClass::kNotTried);
  NameServer::Get().GoOn();
}

TEST_F(Egress, StopsAtOnce) {
  const TestReceiver receiver([](Socket& socket) {
    ReadRequest(socket);
    ReadRequest(socket);
  });
  std::future<Outcome> running = Begin(receiver.Url());
  client_->Stop();
  EXPECT_EQ(running.get().error, ErrorClass::kNotTried);
  EXPECT_EQ(Post(receiver.Url()).error, ErrorClass::kNotTried);
}

TEST_F(Egress, HasALimitOfRequestsAtOnce) {
  Settings settings = TestSettings();
  settings.in_flight_max = 2;
  Use(settings);
  std::promise<void> go_on;
  const std::shared_future<void> gone_on = go_on.get_future().share();
  const TestReceiver receiver([gone_on](Socket& socket) {
    ReadRequest(socket);
    gone_on.wait();
    Write(socket, kOk);
  });
  std::future<Outcome> first = Begin(receiver.Url());
  std::future<Outcome> second = Begin(receiver.Url());
  EXPECT_EQ(Post(receiver.Url()).error, ErrorClass::kNotTried);
  go_on.set_value();
  EXPECT_EQ(first.get().status, 200);
  EXPECT_EQ(second.get().status, 200);
  EXPECT_EQ(Post(receiver.Url()).status, 200);
}

TEST(RetryAfter, IsSecondsOrADate) {
  const absl::Time now = absl::FromCivil(absl::CivilSecond(2026, 11, 22, 8, 0, 0), absl::UTCTimeZone());
  EXPECT_EQ(ParseRetryAfter("120", now), absl::Seconds(120));
  EXPECT_EQ(ParseRetryAfter(" 0 ", now), absl::ZeroDuration());
  EXPECT_EQ(ParseRetryAfter("99999999999999999999", now), absl::InfiniteDuration());
  EXPECT_EQ(ParseRetryAfter("Sun, 22 Nov 2026 08:01:00 GMT", now), absl::Minutes(1));
  EXPECT_EQ(ParseRetryAfter("Sunday, 22-Nov-26 08:01:00 GMT", now), absl::Minutes(1));
  EXPECT_EQ(ParseRetryAfter("Sun Nov 22 08:01:00 2026", now), absl::Minutes(1));
  EXPECT_EQ(ParseRetryAfter("Sun, 22 Nov 2026 07:00:00 GMT", now), absl::ZeroDuration());
  for (const char* text : {"", "-1", "1.5", "soon", "Sun, 22 Nov 2026"})
    EXPECT_EQ(ParseRetryAfter(text, now), std::nullopt) << text;
}

}  // namespace
}  // namespace bv::egress
