// Takes what stands in the journal to Kafka, in batches that form by themselves.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "libs/kafka/writer.h"
#include "services/mqtt-ingest/events/outgoing.h"
#include "services/mqtt-ingest/journal/journal.h"

namespace bv::mqtt_ingest {

struct ForwarderSettings {
  // host:port, separated by commas.
  std::string brokers;
  // Where the events go; dead letters go to the one beside it.
  std::string topic;
  // Of the journal, read at once.
  int batch_bytes = 0;

  // kafka.brokers, kafka.topic, kafka.batch_bytes
  void Bind(config::Binder& b);
};

// One thread. What Kafka has acknowledged is stored in the journal; what it may not have comes again, so an
// event may be there twice, under one id.
class Forwarder {
 public:
  Forwarder(const ForwarderSettings& settings, Journal& journal);
  ~Forwarder() { Stop(); }
  Forwarder(const Forwarder&) = delete;
  Forwarder& operator=(const Forwarder&) = delete;

  void Start();
  // Returns when the batch that is being written, if any, has been, or Kafka has not answered for 10 s.
  // Closes the journal.
  void Stop();

 private:
  void Run();
  absl::Status Forward();
  std::vector<Outgoing> OutgoingOf(const JournalBatch& batch);
  absl::Status Write(const std::vector<Outgoing>& batch);
  void Count(const std::vector<Outgoing>& batch);

  const ForwarderSettings settings_;
  const Topics topics_;
  Journal& journal_;
  kafka::Writer writer_;
  prometheus::Counter& forwarded_;
  prometheus::Counter& refused_;
  prometheus::Counter& failures_;
  prometheus::Gauge& oldest_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace bv::mqtt_ingest
