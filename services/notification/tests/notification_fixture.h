// Replicas of the service between a real Kafka, with topics of the test's own, and a stand-in for the order
// service.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "commerce/order/v1/events.pb.h"
#include "commerce/order/v1/service.pb.h"
#include "commerce/pricing/v1/events.pb.h"
#include "libs/auth/auth.h"
#include "libs/base/id.h"
#include "libs/http/server.h"
#include "libs/kafka/follower.h"
#include "libs/rpc/server.h"
#include "libs/testing/kafka/kafka_topic.h"
#include "libs/testing/testing.h"
#include "services/notification/edge/front.h"
#include "services/notification/tests/ws_client.h"

namespace bv::notification {

// Orders as the order service has them: a customer finds only their own.
class OrderBook {
 public:
  explicit OrderBook(auth::Verifier& verifier);
  ~OrderBook();

  std::string address() const;
  void Put(const std::string& order_id, std::int64_t version, const std::string& user = "ada");
  // Questions wait, and are answered with what is there when they are let go.
  void Hold();
  void Release();
  void AwaitQuestions(int count);
  int questions();

 private:
  rpc::Reply<commerce::order::v1::Order> GetOrder(rpc::Call<commerce::order::v1::GetOrderRequest> call);

  testing::Loop loop_;
  rpc::Server server_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, commerce::order::v1::Order> orders_;
  int questions_ = 0;
  bool is_held_ = false;
  std::vector<async::Done<bool>> held_;
};

struct ReplicaSettings {
  HubSettings hub{.window = absl::Minutes(10), .window_bytes_max = 64 << 20};
  WebSocketSettings websocket{.connections_max = 1000,
                              .connections_per_user_max = 100,
                              .connections_per_address_max = 1000,
                              .origins = {},
                              .message_bytes_max = 4096,
                              .messages_per_second_max = 1000,
                              .messages_burst_max = 1000,
                              .errors_max = 20,
                              .subscriptions_max = 20,
                              .send_messages_max = 256,
                              .send_bytes_max = 256 << 10,
                              .ping_interval = absl::Seconds(20),
                              .idle_timeout = absl::Seconds(60),
                              .close_timeout = absl::Seconds(5),
                              .reconnect_jitter = absl::Milliseconds(50),
                              .order_calls_max = 2};
  StreamSettings sse{.connections_max = 1000,
                     .connections_per_address_max = 1000,
                     .log_bytes_max = 1 << 20,
                     .send_bytes_max = 64 << 10,
                     .heartbeat_interval = absl::Seconds(20),
                     .retry = absl::Seconds(3),
                     .reconnect_jitter = absl::Milliseconds(50)};
};

class Replica {
 public:
  Replica(const ReplicaSettings& settings, auth::Verifier& verifier, const std::string& order_address,
          const std::string& order_topic, const std::string& sale_topic);
  ~Replica();
  int port() const { return server_->port(); }
  void Drain();

 private:
  boost::asio::io_context io_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::vector<std::thread> threads_;
  Hub hub_;
  OrderReader reader_;
  OrdersEndpoint orders_;
  SalesEndpoint sales_;
  Front front_;
  std::unique_ptr<kafka::Follower> order_follower_;
  std::unique_ptr<kafka::Follower> sale_follower_;
  std::unique_ptr<http::Server> server_;
  std::stop_source stop_;
  // Sweeps as the service's job does.
  std::thread sweep_;
};

class NotificationTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite();
  static void TearDownTestSuite();

  // One with settings of a test's own; the one of the suite has the default ones.
  static std::unique_ptr<Replica> Start(const ReplicaSettings& settings = {});
  static Replica& replica() { return *shared_->replica; }
  static OrderBook& orders() { return *shared_->orders; }

  static std::string Token(std::string_view user = "ada", Role role = Role::kCustomer,
                           absl::Duration lifetime = absl::Hours(1), std::string_view tenant = "acme");
  // A header line.
  static std::string Bearer(std::string_view user = "ada", Role role = Role::kCustomer);
  static std::string NewOrder() { return OrderId::New().str(); }

  // To Kafka; what they return are the bytes of the envelope.
  static std::string WriteCreated(const std::string& order, const std::string& user = "ada");
  // The events of a change are OrderPaid, where it is one, and OrderStatusChanged.
  static std::string WritePaid(const std::string& order, std::int64_t version,
                               const std::string& user = "ada");
  static std::string WriteChanged(const std::string& order, std::int64_t version,
                                  const std::string& user = "ada", const std::string& reason = "TEST");
  // Many at once.
  static void WriteChanges(const std::string& order, std::int64_t first, std::int64_t last,
                           const std::string& reason, const std::string& user = "ada");
  enum class Sale { kStarts, kEnds };
  static std::string WriteSale(const std::string& sale, Sale what);
  static void WriteManySales(int count);
  static std::string SubscribeTo(const std::string& order) {
    return R"({"type":"subscribe","orderId":")" + order + "\"}";
  }

 private:
  struct Shared {
    testing::JwksFile jwks;
    std::unique_ptr<auth::Verifier> verifier;
    testing::KafkaTopic order_topic;
    testing::KafkaTopic sale_topic;
    std::unique_ptr<OrderBook> orders;
    std::unique_ptr<Replica> replica;
  };
  static std::unique_ptr<Shared> shared_;
};

}  // namespace bv::notification
