// A broker of the test's own with devices, and topics and a journal of its own. Tests have the service's
// parts; those that kill it have the program.
#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "libs/testing/kafka/kafka_topic.h"
#include "libs/testing/mosquitto/device.h"
#include "libs/testing/mosquitto/mosquitto_server.h"
#include "libs/testing/testing.h"
#include "services/mqtt-ingest/ingest/forwarder.h"
#include "services/mqtt-ingest/ingest/intake.h"

namespace bv::mqtt_ingest {

class IngestFixture : public ::testing::Test {
 protected:
  static constexpr char kTopic[] = "iot/inventory/TENT/delta";
  static constexpr char kKey[] = "sesame";

  // The broker has the accounts acme/press-1, acme/press-2 and globex/press-1, which may write of TENT;
  // acme/press-2 also of MUG.
  IngestFixture();
  ~IngestFixture() override;

  std::unique_ptr<testing::Device> DeviceOf(const std::string& account) const;
  // With an id, or none.
  static std::string ReportOf(std::int64_t delta, const std::string& id = "");

  // The service's parts in this process.
  void Start();
  void Stop();
  // As Start, and until an event, "second", has gone to Kafka: its client finds back to the brokers within a
  // second, one that never found them tries for ten.
  void StartWriting();
  // The service as a program of its own; by default with the real brokers.
  void StartProgram(const std::string& brokers = testing::Environment("BV_KAFKA_BROKERS"));
  void KillProgram();
  // Of all segments on disk.
  std::uintmax_t JournalBytes() const;
  // Runs it until its session stands at the broker: from then on nothing is lost. Leaves one event, of delta
  // 1, "first".
  void Introduce();

  // Has a last report go the same way, and reads up to it: what is not there then never comes. The events but
  // that one, by "tenant device message delta", each once.
  std::set<std::string> AllEvents() const;
  // The same when there are so many.
  std::set<std::string> WaitForEvents(std::size_t count) const;
  // The reasons of the dead letters, sorted, when there are so many.
  std::multiset<std::string> WaitForReasons(std::size_t count) const;

  const testing::KafkaTopic topic_;
  const testing::KafkaTopic dead_letters_{Topics(topic_.name()).dead_letters};
  std::string directory_;
  testing::MosquittoServer broker_;
  mqtt::Settings mqtt_;
  JournalSettings journal_settings_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<Forwarder> forwarder_;
  std::unique_ptr<Intake> intake_;
  pid_t program_ = 0;
};

}  // namespace bv::mqtt_ingest
