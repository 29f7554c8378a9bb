// What the relay's integration tests share: a database, a slot and topics of their own, and relays that run
// in this process.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <pqxx/pqxx>
#include <string>
#include <vector>

#include "libs/testing/kafka/kafka_topic.h"
#include "libs/testing/testing.h"
#include "services/outbox-relay/relay/metrics.h"
#include "services/outbox-relay/relay/relay.h"
#include "services/outbox-relay/relay/stop_signal.h"
#include "services/outbox-relay/settings.h"

namespace bv::relay {

using testing::KafkaTopic;
using testing::Seen;

// From construction to destruction, or Stop().
class RunningRelay {
 public:
  RunningRelay(const Settings& settings, const std::vector<kafka::TopicSpec>& topics);
  ~RunningRelay() { Stop(); }

  // Waits until Kafka has acknowledged so many events of this relay.
  void AwaitPublished(int count) const;
  // Waits for what is in flight.
  void Stop();
  // Drops what is in flight, as far as that can be done without ending the process.
  void Abandon();

 private:
  const Settings settings_;
  Metrics metrics_;
  // Metrics are of the process, which has more than one relay.
  const double published_before_ = metrics_.published.Value();
  StopSignal stop_;
  std::unique_ptr<Relay> relay_;
};

// An event of a test: `number` counts the events of its key.
struct Event {
  std::string key;
  int number = 0;
};

class RelayTest : public ::testing::Test {
 protected:
  RelayTest();
  ~RelayTest() override;

  Settings MakeSettings() const;
  // The test's topic, which the relay creates.
  std::vector<kafka::TopicSpec> Topics() const { return {{.name = topic_.name(), .partitions = 3}}; }
  std::unique_ptr<RunningRelay> StartRelay() const { return StartRelay(MakeSettings()); }
  std::unique_ptr<RunningRelay> StartRelay(const Settings& settings) const {
    return std::make_unique<RunningRelay>(settings, Topics());
  }
  // In one transaction of its own.
  void Commit(const std::vector<Event>& events) const;
  void Insert(pqxx::transaction_base& transaction, const Event& event) const;
  // Key and number again.
  static Event EventOf(const Seen& seen);
  // Waits until the answer to `sql` is `answer`.
  void WaitFor(const std::string& sql, const std::string& answer) const;
  // Every number from 1 to `last` of every key was seen, each for the first time after the one before it.
  static void ExpectInOrder(const std::vector<Seen>& seen, const std::vector<std::string>& keys, int last);
  // Reads until every number from 1 to `last` of every key has been seen.
  std::vector<Seen> ReadAll(const std::vector<std::string>& keys, int last) const;

  testing::Database database_{"outbox-relay"};
  const std::string slot_;
  KafkaTopic topic_;
};

}  // namespace bv::relay
