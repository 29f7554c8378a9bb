// The whole pipeline on a database, topics and a RabbitMQ of its own, with a receiver that answers as a test
// wants. Each test is a tenant of its own.
#pragma once

#include <absl/time/time.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "libs/http/server.h"
#include "libs/testing/kafka/kafka_topic.h"
#include "libs/testing/rabbitmq_server.h"
#include "libs/testing/testing.h"
#include "services/webhook-dispatcher/delivery/pipeline.h"

namespace bv::webhook {

// What a subscriber runs: an HTTP server that notes what comes.
class Receiver {
 public:
  struct Seen {
    std::string path;
    std::map<std::string, std::string> headers;
    std::string body;
    absl::Time at;
  };
  struct Answer {
    int status = 200;
    std::string retry_after = {};
    std::string body = {};
    absl::Duration delay = absl::ZeroDuration();
  };
  // Of the nth request to the path, from 1; called by the server's thread.
  using Rule = std::function<Answer(int nth)>;

  Receiver();
  ~Receiver();

  std::string Url(const std::string& path) const;
  void Answers(const std::string& path, Rule rule);
  // What came at a path, in the order of arrival.
  std::vector<Seen> At(const std::string& path) const;

 private:
  async::Task<void> Handle(const http::Request& request, http::Response& response);

  boost::asio::io_context io_;
  std::unique_ptr<http::Server> server_;
  std::thread thread_;
  mutable std::mutex mutex_;
  std::map<std::string, Rule> rules_;
  std::map<std::string, std::vector<Seen>> seen_;
};

class PipelineTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite();
  static void TearDownTestSuite();
  PipelineTest();
  ~PipelineTest() override;

  // With settings that a test may change before.
  void Start();
  void Stop();

  // At `path` of the receiver.
  Subscription Subscribe(const std::string& path, DeliveryOrder order = DeliveryOrder::kAny,
                         const std::string& tenant = "");
  void Change(const Subscription& subscription, const std::function<std::string(Subscription&)>& change);
  // Writes so many events to Kafka, and returns their ids. Without a store they name none.
  std::vector<std::string> Happen(int count, const std::string& tenant = "", const std::string& store = "");
  testing::Written EventOf(const std::string& tenant, const std::string& store = "") const;

  // One value as the superuser; $T is this test's tenant, quoted.
  std::string Query(std::string sql) const;
  // Waits until a query answers so.
  void WaitFor(const std::string& sql, const std::string& answer) const;
  void WaitForDeliveries(int count, const std::string& status) const;
  std::vector<Receiver::Seen> WaitForRequests(const std::string& path, std::size_t count);

  static testing::Database& database() { return parts_->database; }
  static testing::RabbitmqServer& rabbitmq() { return parts_->rabbitmq; }
  Receiver& receiver() { return parts_->receiver; }
  const std::string& tenant() const { return tenant_; }
  testing::KafkaTopic& topic() { return topic_; }

  PipelineSettings settings_;

 private:
  struct Parts {
    Parts();
    ~Parts();
    testing::RabbitmqServer rabbitmq;
    testing::Database database{"webhook-dispatcher"};
    testing::Loop loop;
    Receiver receiver;
    std::unique_ptr<egress::Client> egress;
    SubscriptionBook book{database.Connection(), absl::Milliseconds(20)};
    postgres::Session session{database.Connection(), postgres::Plans::kIndexOnly};
  };
  static std::unique_ptr<Parts> parts_;
  const std::string tenant_;
  testing::KafkaTopic topic_;
  std::unique_ptr<Pipeline> pipeline_;
};

}  // namespace bv::webhook
