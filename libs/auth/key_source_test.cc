// Keys that come and go while the service runs.
#include "libs/auth/key_source.h"

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include "libs/auth/auth.h"
#include "libs/auth/golden_tokens.h"
#include "libs/base/clock.h"
#include "libs/base/error.h"
#include "libs/egress/test_receiver.h"

namespace bv::auth {
namespace {

using ::testing::HasSubstr;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

// What the golden set holds without the keys of these names.
std::string SetWithout(std::initializer_list<std::string_view> names) {
  std::string set = golden::kJwkSet;
  for (const std::string_view name : names) {
    const std::string kid = absl::StrCat(R"("kid":")", std::string(name), "\"");
    const std::size_t at = set.find(kid);
    EXPECT_NE(at, std::string::npos);
    set.replace(at, kid.size(), R"("kid":"other-)" + std::string(name) + "\"");
  }
  return set;
}

// The content is there as a whole or not at all, as deployments write it.
void Replace(const std::string& path, const std::string& content) {
  std::ofstream(path + ".new") << content;
  std::filesystem::rename(path + ".new", path);
}

template <class Condition>
bool Within(absl::Duration time, Condition condition) {
  const absl::Time until = MonotonicNow() + time;
  while (!condition()) {
    if (MonotonicNow() > until) return false;
    std::this_thread::yield();
  }
  return true;
}

Settings With(const std::string& file, const std::string& url = "") {
  return {.jwks_file = file,
          .jwks_url = url,
          .development = true,
          .issuer = "https://issuer.example",
          .audience = "bivouac",
          .clock_skew = absl::ZeroDuration()};
}

class KeyFileTest : public testing::Test {
 protected:
  ~KeyFileTest() override { std::filesystem::remove(path_); }
  std::unique_ptr<Verifier> Make(const std::string& set) {
    Replace(path_, set);
    auto verifier = Verifier::Create(With(path_));
    EXPECT_TRUE(verifier.ok()) << verifier.status();
    return *std::move(verifier);
  }

  const std::string path_ = absl::StrCat(testing::TempDir(), "/key_source_test_", getpid(), ".json");
};

TEST_F(KeyFileTest, ANewKeyIsTakenWithItsFirstToken) {
  const auto verifier = Make(SetWithout({"es"}));
  EXPECT_EQ(ErrorReason(verifier->Verify(golden::kEs256Token, kNow).status()), "TOKEN_INVALID");
  Replace(path_, golden::kJwkSet);
  EXPECT_TRUE(verifier->Verify(golden::kEs256Token, kNow).ok());
}

TEST_F(KeyFileTest, ARememberedTokenGoesWithItsKey) {
  const auto verifier = Make(golden::kJwkSet);
  ASSERT_TRUE(verifier->Verify(golden::kEs256Token, kNow).ok());
  ASSERT_TRUE(verifier->Verify(golden::kEs256Token, kNow).ok());
  Replace(path_, SetWithout({"es"}));
  EXPECT_TRUE(Within(absl::Seconds(5), [&] { return !verifier->Verify(golden::kEs256Token, kNow).ok(); }));
  EXPECT_TRUE(verifier->Verify(golden::kRs256Token, kNow).ok()) << "the others go on";
}

TEST_F(KeyFileTest, AKeyOfTheSameNameIsAnotherKey) {
  const auto verifier = Make(golden::kJwkSet);
  ASSERT_TRUE(verifier->Verify(golden::kHs256Token, kNow).ok());
  Replace(
      path_,
      R"({"keys":[{"kty":"oct","kid":"hs","alg":"HS256","k":"__________________________________________8"}]})");
  EXPECT_TRUE(Within(absl::Seconds(5), [&] {
    return ErrorReason(verifier->Verify(golden::kHs256Token, kNow).status()) == "TOKEN_INVALID";
  }));
}

TEST_F(KeyFileTest, WhatIsNoSetOrNotThereChangesNothing) {
  const auto verifier = Make(SetWithout({"es"}));
  for (const char* content : {"", "{", R"({"keys":[]})"}) {
    Replace(path_, content);
    // An unknown key has the file read.
    EXPECT_EQ(ErrorReason(verifier->Verify(golden::kEs256Token, kNow).status()), "TOKEN_INVALID");
    EXPECT_TRUE(verifier->Verify(golden::kRs256Token, kNow).ok());
  }
  std::filesystem::remove(path_);
  EXPECT_EQ(ErrorReason(verifier->Verify(golden::kEs256Token, kNow).status()), "TOKEN_INVALID");
  EXPECT_TRUE(verifier->Verify(golden::kRs256Token, kNow).ok());
  Replace(path_, golden::kJwkSet);
  EXPECT_TRUE(verifier->Verify(golden::kEs256Token, kNow).ok());
}

TEST_F(KeyFileTest, ManyThreadsAndManyKeySets) {
  const auto verifier = Make(golden::kJwkSet);
  std::atomic<bool> is_over = false;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      while (!is_over) {
        EXPECT_TRUE(verifier->Verify(golden::kHs256Token, kNow).ok());
        verifier->Verify(golden::kEs256Token, kNow).IgnoreError();
      }
    });
  }
  for (int i = 0; i < 4; ++i) {
    Replace(path_, i % 2 == 0 ? SetWithout({"es"}) : std::string(golden::kJwkSet));
    const bool is_there = i % 2 != 0;
    EXPECT_TRUE(Within(absl::Seconds(5),
                       [&] { return verifier->Verify(golden::kEs256Token, kNow).ok() == is_there; }));
  }
  is_over = true;
}

TEST(KeySourceSettings, OneOfTheTwoIsSet) {
  EXPECT_EQ(GetErrorDetail(Verifier::Create(With("")).status()).field, "auth.jwks_file");
  EXPECT_EQ(GetErrorDetail(Verifier::Create(With("a.json", "http://127.0.0.1:1/")).status()).field,
            "auth.jwks_file");
}

// --- By an address

class KeyUrlTest : public testing::Test {
 protected:
  KeyUrlTest() {
    setenv("no_proxy", "*", 1);
    receiver_.emplace([this](egress::Socket& socket) {
      std::string request;
      boost::asio::read_until(socket, boost::asio::dynamic_buffer(request), "\r\n\r\n");
      ++asked_;
      egress::Write(socket, Answer());
    });
  }

  void Say(const std::string& body, const std::string& status = "200 OK") {
    const std::lock_guard lock(mutex_);
    answer_ = absl::StrCat("HTTP/1.1 ", status, "\r\nConnection: close\r\nContent-Length: ", body.size(),
                           "\r\n\r\n", body);
  }
  std::string Answer() {
    const std::lock_guard lock(mutex_);
    return answer_;
  }
  absl::StatusOr<std::unique_ptr<KeySource>> Open(absl::Duration refresh, absl::Duration pause) {
    Settings settings = With("", receiver_->Url());
    settings.jwks_refresh = refresh;
    return KeyUrl::Open(settings, pause);
  }
  static bool Has(KeySource& source, const char* kid) { return source.Current()->keys.contains(kid); }

  std::mutex mutex_;
  std::string answer_;
  std::atomic<int> asked_ = 0;
  std::optional<egress::TestReceiver> receiver_;
};

TEST_F(KeyUrlTest, TokensAreCheckedWithWhatItSays) {
  Say(golden::kJwkSet);
  const auto verifier = Verifier::Create(With("", receiver_->Url()));
  ASSERT_TRUE(verifier.ok()) << verifier.status();
  for (const char* token :
       {golden::kRs256Token, golden::kPs256Token, golden::kEs256Token, golden::kHs256Token})
    EXPECT_TRUE((*verifier)->Verify(token, kNow).ok());
  EXPECT_EQ(asked_, 1);
}

TEST_F(KeyUrlTest, AnUnknownKeyHasItAskedAndTheTokenMayComeAgain) {
  Say(SetWithout({"es"}));
  auto source = Open(absl::Hours(1), absl::ZeroDuration());
  ASSERT_TRUE(source.ok()) << source.status();
  EXPECT_FALSE(Has(**source, "es"));
  Say(golden::kJwkSet);
  EXPECT_TRUE((*source)->MayBeNewer(1));
  EXPECT_TRUE(Within(absl::Seconds(10), [&] { return Has(**source, "es"); }));
}

TEST_F(KeyUrlTest, AFloodOfUnknownKeysIsNoFloodOfRequests) {
  Say(golden::kJwkSet);
  auto source = Open(absl::Hours(1), absl::Hours(1));
  ASSERT_TRUE(source.ok()) << source.status();
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE((*source)->MayBeNewer(1)) << "it was asked a moment ago";
  EXPECT_TRUE((*source)->MayBeNewer(0)) << "there is another set by now";
  EXPECT_EQ(asked_, 1);
}

TEST_F(KeyUrlTest, ItIsAskedNowAndThen) {
  Say(golden::kJwkSet);
  auto source = Open(absl::Milliseconds(5), absl::Hours(1));
  ASSERT_TRUE(source.ok()) << source.status();
  EXPECT_TRUE(Within(absl::Seconds(10), [&] { return asked_ > 3; }));
  EXPECT_EQ((*source)->Current()->generation, 1U) << "the same keys are no change";
  Say(SetWithout({"es"}));
  EXPECT_TRUE(Within(absl::Seconds(10), [&] { return !Has(**source, "es"); }));
}

TEST_F(KeyUrlTest, TheLastKeysGoOnWhileItIsAway) {
  Say(golden::kJwkSet);
  auto source = Open(absl::Milliseconds(5), absl::Hours(1));
  ASSERT_TRUE(source.ok()) << source.status();
  for (const auto& [body, status] : {std::pair("", "503 Service Unavailable"),
                                     {"no set", "200 OK"},
                                     {R"({"keys":[]})", "200 OK"},
                                     {R"({"keys":[{"kid":"x"}]})", "200 OK"},
                                     {golden::kJwkSet, "301 Moved Permanently"}}) {
    Say(body, status);
    const int asked = asked_;
    EXPECT_TRUE(Within(absl::Seconds(10), [&] { return asked_ > asked + 1; }));
    EXPECT_TRUE(Has(**source, "es")) << status;
  }
  Say(absl::StrCat(SetWithout({"es"}), std::string(300 * 1024, ' ')));
  const int asked = asked_;
  EXPECT_TRUE(Within(absl::Seconds(10), [&] { return asked_ > asked + 1; }));
  EXPECT_TRUE(Has(**source, "es")) << "too large";
}

TEST_F(KeyUrlTest, WithoutKeysNothingStarts) {
  Say("", "500 Internal Server Error");
  const auto verifier = Verifier::Create(With("", receiver_->Url()));
  EXPECT_EQ(ErrorReason(verifier.status()), "KEYS_UNAVAILABLE");
  EXPECT_THAT(verifier.status().ToString(), HasSubstr("500"));
  EXPECT_EQ(ErrorReason(Verifier::Create(With("", "file:///etc/passwd")).status()), "KEYS_UNAVAILABLE");
}

// The requirement: at most 5 µs for a token that is remembered. The best of many rounds, since other
// processes share the processors.
TEST_F(KeyFileTest, ARememberedTokenCostsLittle) {
  const auto verifier = Make(golden::kJwkSet);
  ASSERT_TRUE(verifier->Verify(golden::kRs256Token, kNow).ok());
  constexpr int kCalls = 200;
  absl::Duration best = absl::InfiniteDuration();
  for (int round = 0; round < 100; ++round) {
    const absl::Time begun = MonotonicNow();
    for (int i = 0; i < kCalls; ++i) ASSERT_TRUE(verifier->Verify(golden::kRs256Token, kNow).ok());
    best = std::min(best, (MonotonicNow() - begun) / kCalls);
  }
  RecordProperty("nanoseconds", static_cast<int>(absl::ToInt64Nanoseconds(best)));
  std::cout << "a remembered token takes " << best << std::endl;
  EXPECT_LE(best, absl::Microseconds(5));
}

}  // namespace
}  // namespace bv::auth
