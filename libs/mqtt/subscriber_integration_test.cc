// Against a real Mosquitto of the test's own.
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "libs/base/strings.h"
#include "libs/mqtt/subscriber.h"
#include "libs/testing/mosquitto/device.h"
#include "libs/testing/mosquitto/mosquitto_server.h"

namespace bv::mqtt {
namespace {

using testing::Device;
using testing::MosquittoServer;

// What was taken, in its order.
class Book {
 public:
  void Add(std::string text) {
    const std::lock_guard lock(mutex_);
    texts_.push_back(std::move(text));
    changed_.notify_all();
  }
  std::vector<std::string> WaitFor(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(20), [&] { return texts_.size() >= count; });
    EXPECT_GE(texts_.size(), count);
    return texts_;
  }
  // Until so many different ones are there.
  std::vector<std::string> WaitForKinds(std::size_t count) {
    const auto kinds = [&] { return std::set<std::string>(texts_.begin(), texts_.end()).size(); };
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(20), [&] { return kinds() >= count; });
    EXPECT_EQ(kinds(), count);
    return texts_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> texts_;
};

class SubscriberTest : public ::testing::Test {
 protected:
  Settings SettingsOf(const std::string& password = "listen") const {
    return {.address = server_.address(),
            .user = "ingest",
            .password = config::Secret(password),
            .client_id = "ingest",
            .keep_alive = absl::Seconds(5),
            .session_expiry = absl::Hours(1),
            .in_flight_max = 10};
  }
  std::unique_ptr<Subscriber> Start(Subscriber::Take take) {
    auto subscriber = std::make_unique<Subscriber>(SettingsOf(), "room/+/heat", std::move(take));
    EXPECT_TRUE(subscriber->Start().ok());
    return subscriber;
  }
  std::unique_ptr<Subscriber> Start() {
    return Start([this](const Message& message) {
      book_.Add(std::string(message.payload));
      return true;
    });
  }
  // So that the session exists before anything is published.
  void Introduce() {
    const auto subscriber = Start();
    device_.PublishSurely("room/1/heat", "hello");
    book_.WaitFor(1);
  }

  MosquittoServer server_{
      {.accounts = {{"ingest", {"listen", {"read room/#"}}}, {"device", {"speak", {"write room/#"}}}},
       .settings = "max_inflight_messages 10\n"}};
  Device device_{{.address = server_.address(), .user = "device", .password = "speak"}};
  Book book_;
};

TEST_F(SubscriberTest, ItTakesWhatIsPublishedWithItsProperties) {
  Book topics;
  const auto subscriber = Start([&](const Message& message) {
    topics.Add(std::string(message.topic));
    book_.Add(
        Concat(message.payload, " ", message.UserProperty("unit"), " ", message.UserProperty("colour"), "."));
    return true;
  });
  device_.PublishSurely("room/1/heat", "hello");
  topics.WaitFor(1);
  device_.Publish("room/2/heat", "20", {{"unit", "C"}});
  device_.Publish("room/2/cold", "20");
  device_.Publish("room/3/heat", std::string("\0\xff", 2));
  EXPECT_EQ(book_.WaitFor(3),
            (std::vector<std::string>{"hello  .", "20 C .", std::string("\0\xff", 2) + "  ."}));
  EXPECT_EQ(topics.WaitFor(3), (std::vector<std::string>{"room/1/heat", "room/2/heat", "room/3/heat"}));
}

TEST_F(SubscriberTest, WhatIsPublishedWhileItIsAwayWaitsForIt) {
  Introduce();
  for (int i = 0; i < 200; ++i) device_.Publish("room/1/heat", std::to_string(i));
  const auto subscriber = Start();
  const std::vector<std::string> taken = book_.WaitFor(201);
  for (int i = 0; i < 200; ++i) EXPECT_EQ(taken[static_cast<std::size_t>(i) + 1], std::to_string(i));
}

TEST_F(SubscriberTest, WhatIsNotTakenComesAgain) {
  Introduce();
  std::atomic<int> refusals = 3;
  const auto subscriber = Start([&](const Message& message) {
    if (message.payload == "5" && refusals-- > 0) return false;
    book_.Add(std::string(message.payload));
    return true;
  });
  // Many at once, so that others are about to be acknowledged when one is not taken.
  for (int i = 0; i < 20; ++i) device_.Hand("room/1/heat", std::to_string(i), 20);
  EXPECT_TRUE(device_.Flush());
  book_.WaitForKinds(21);
  EXPECT_LE(refusals, 0);
}

// An acknowledgement goes out after the message was taken, never before: who dies in between gets it again.
TEST_F(SubscriberTest, AnAcknowledgementComesAfterTheMessageWasTaken) {
  Introduce();
  std::atomic<bool> is_held = false;
  Book let_go;
  {
    const auto subscriber = Start([&](const Message&) {
      is_held = true;
      let_go.WaitFor(1);
      return false;
    });
    device_.Publish("room/1/heat", "held");
    while (!is_held) std::this_thread::yield();
    // While it is held the broker counts it as not acknowledged, and keeps it over its own restart.
    server_.Stop();
    let_go.Add("go");
  }
  server_.Start();
  const auto subscriber = Start();
  EXPECT_EQ(book_.WaitFor(2)[1], "held");
}

TEST_F(SubscriberTest, ABrokerThatComesBackHasWhatWaited) {
  const auto subscriber = Start();
  device_.PublishSurely("room/1/heat", "hello");
  book_.WaitFor(1);
  for (int i = 0; i < 100; ++i) {
    if (i % 40 == 20) {
      server_.Stop();
      server_.Start();
    }
    device_.PublishSurely("room/1/heat", std::to_string(i));
  }
  book_.WaitForKinds(101);
}

TEST_F(SubscriberTest, WithAWrongPasswordItTriesOn) {
  Introduce();
  Subscriber subscriber(SettingsOf("wrong"), "room/+/heat", [&](const Message&) {
    book_.Add("taken");
    return true;
  });
  ASSERT_TRUE(subscriber.Start().ok());
  device_.Publish("room/1/heat", "for the right one");
  const auto right = Start();
  EXPECT_EQ(book_.WaitFor(2)[1], "for the right one");
}

TEST_F(SubscriberTest, AnAddressIsHostAndPort) {
  for (const char* address : {"", "localhost", ":1883", "localhost:", "localhost:0", "localhost:65536"}) {
    Settings settings = SettingsOf();
    settings.address = address;
    EXPECT_FALSE(Subscriber(settings, "#", nullptr).Start().ok()) << address;
  }
}

}  // namespace
}  // namespace bv::mqtt
