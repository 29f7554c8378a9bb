// To which addresses a name may lead, and what looking it up may cost.

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netdb.h>

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>

#include "libs/base/strings.h"
#include "libs/egress/test_client.h"

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

using testing::HasSubstr;

class EgressNames : public EgressTest {};

// What a name server may answer to a stranger's name.
TEST_F(EgressNames, ConnectsToNoAddressThatIsNotPublic) {
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

TEST_F(EgressNames, AnAnswerThatChangesIsOfNoUse) {
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

TEST_F(EgressNames, OfSeveralAddressesOnlyThePublicOnesCount) {
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

TEST_F(EgressNames, ANameIsLookedUpOnceForAllWhoWait) {
  NameServer::Get().Set("popular.test", {{"10.0.0.1"}});
  NameServer::Get().Halt();
  std::vector<std::future<Outcome>> outcomes;
  for (int i = 0; i < 50; ++i) outcomes.push_back(Begin("https://popular.test/"));
  NameServer::Get().GoOn();
  for (std::future<Outcome>& outcome : outcomes) EXPECT_EQ(outcome.get().error, ErrorClass::kAddressRefused);
  EXPECT_EQ(NameServer::Get().asked("popular.test"), 1);
}

TEST_F(EgressNames, AnUnknownNameIsNotAskedForAtOnceAgain) {
  NameServer::Get().Set("unknown.test", {});
  for (int i = 0; i < 3; ++i) {
    const Outcome outcome = Post("https://unknown.test/");
    EXPECT_EQ(outcome.error, ErrorClass::kConnection);
    EXPECT_THAT(outcome.detail, HasSubstr("name was not found"));
  }
  EXPECT_EQ(NameServer::Get().asked("unknown.test"), 1);
}

TEST_F(EgressNames, ANameServerThatHangsHoldsUpOnlyItsOwn) {
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

}  // namespace
}  // namespace bv::egress
