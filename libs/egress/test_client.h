// A client with a loop of its own, for tests.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include "libs/egress/egress.h"
#include "libs/egress/test_receiver.h"

namespace bv::egress {

inline constexpr char kOk[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

// Of receivers on 127.0.0.1.
inline Settings TestSettings() {
  return {.addresses = {.production = false, .allow_private = {"127.0.0.1/32"}, .ports = {"443", "8443"}},
          .connect_timeout = absl::Seconds(5),
          .timeout = absl::Seconds(5),
          .answer_bytes_max = 65536,
          .in_flight_max = 100,
          .idle_connections_max = 100,
          .lookups_max = 4,
          .lookup_keep = absl::Seconds(30)};
}

class EgressTest : public testing::Test {
 protected:
  explicit EgressTest(const Settings& settings = TestSettings()) { Use(settings); }
  ~EgressTest() override {
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
    return boost::asio::co_spawn(io_, client_->Post(std::move(request)), boost::asio::use_future);
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

  boost::asio::io_context io_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_ =
      boost::asio::make_work_guard(io_);
  std::thread thread_{[this] { io_.run(); }};
  std::unique_ptr<Client> client_;
};

}  // namespace bv::egress
