#include "libs/egress/egress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/steady_timer.hpp>
#include <cstdlib>
#include <future>

#include "libs/base/clock.h"
#include "libs/base/strings.h"
#include "libs/egress/test_client.h"

namespace bv::egress {
namespace {

namespace asio = boost::asio;
using testing::ElementsAre;
using testing::HasSubstr;

class Egress : public EgressTest {};

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
