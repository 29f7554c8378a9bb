// Whom a request is given to: only a receiver that proves to be the URL's host.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <mutex>
#include <vector>

#include "libs/egress/egress.h"
#include "libs/egress/test_receiver.h"
#include "libs/egress/test_tls.h"

namespace bv::egress {
namespace {

class EgressTls : public testing::Test {
 protected:
  // To `receiver`, with `authority` as the only one that is known.
  static Outcome Post(const TestReceiver& receiver, const TestCertificate& authority) {
    absl::StatusOr<std::unique_ptr<Client>> client = Client::Create(
        {.addresses = {.production = false, .allow_private = {"127.0.0.1/32"}, .ports = {"443"}},
         .ca_file = authority.path(),
         .connect_timeout = absl::Seconds(5),
         .timeout = absl::Seconds(5),
         .answer_bytes_max = 65536,
         .in_flight_max = 10,
         .idle_connections_max = 10,
         .lookups_max = 1,
         .lookup_keep = absl::Seconds(30)});
    EXPECT_TRUE(client.ok()) << client.status();
    boost::asio::io_context io;
    Request request{.url = receiver.Url("localhost", "https"), .body = "{}"};
    std::future<Outcome> outcome =
        boost::asio::co_spawn(io, (*client)->Post(std::move(request)), boost::asio::use_future);
    io.run();
    return outcome.get();
  }
  std::function<void(Socket&)> Serve(const TestCertificate& certificate, int version_max = TLS1_3_VERSION) {
    return OverTls(
        certificate,
        [this](TlsStream& stream, const std::string& name) {
          {
            const std::lock_guard lock(mutex_);
            names_.push_back(name);
          }
          ReadRequest(stream);
          Write(stream, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        },
        version_max);
  }

  const TestCertificate localhost_{"localhost"};
  std::mutex mutex_;
  std::vector<std::string> names_;
};

TEST_F(EgressTls, AReceiverThatProvesItsNameGetsTheRequest) {
  const TestReceiver receiver(Serve(localhost_));
  const Outcome outcome = Post(receiver, localhost_);
  EXPECT_EQ(outcome.status, 200) << outcome.detail;
  EXPECT_THAT(names_, testing::ElementsAre("localhost"));
}

TEST_F(EgressTls, AnUnknownAuthorityIsRefused) {
  const TestCertificate other("localhost");
  const TestReceiver receiver(Serve(other));
  EXPECT_EQ(Post(receiver, localhost_).error, ErrorClass::kTls);
}

TEST_F(EgressTls, ACertificateOfAnotherHostIsRefused) {
  const TestCertificate other("example.com");
  const TestReceiver receiver(Serve(other));
  EXPECT_EQ(Post(receiver, other).error, ErrorClass::kTls);
}

TEST_F(EgressTls, AnOldVersionIsRefused) {
  const TestReceiver receiver(Serve(localhost_, TLS1_1_VERSION));
  EXPECT_EQ(Post(receiver, localhost_).error, ErrorClass::kTls);
  const TestReceiver newer(Serve(localhost_, TLS1_2_VERSION));
  EXPECT_EQ(Post(newer, localhost_).status, 200);
}

TEST_F(EgressTls, AReceiverWithoutTlsIsRefused) {
  const TestReceiver receiver([](Socket& socket) { Write(socket, "HTTP/1.1 200 OK\r\n\r\n"); });
  EXPECT_EQ(Post(receiver, localhost_).error, ErrorClass::kTls);
}

}  // namespace
}  // namespace bv::egress
