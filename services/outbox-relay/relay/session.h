// One reign over the slot: from taking it to the first error, or to the end of the process. Everything that
// is in flight belongs to a session, so an error anywhere ends it as a whole and the next one begins at the
// last confirmed transaction.
#pragma once

#include <absl/functional/function_ref.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <map>
#include <memory>
#include <set>
#include <string>

#include "libs/kafka/producer.h"
#include "libs/kafka/topics.h"
#include "services/outbox-relay/domain/ledger.h"
#include "services/outbox-relay/relay/metrics.h"
#include "services/outbox-relay/relay/outbox_event.h"
#include "services/outbox-relay/relay/record.h"
#include "services/outbox-relay/relay/replication_stream.h"
#include "services/outbox-relay/relay/schema_ids.h"
#include "services/outbox-relay/relay/stop_signal.h"
#include "services/outbox-relay/settings.h"
#include "services/outbox-relay/store/outbox_store.h"

namespace bv::relay {

// How long Kafka may take to answer what is asked of it before publishing begins. Short, since a stop has to
// wait for it; what was not answered is asked again.
inline constexpr absl::Duration kKafkaPatience = absl::Seconds(3);

// Run by one thread.
class Session {
 public:
  Session(const Settings& settings, const std::vector<kafka::TopicSpec>& topics, OutboxStore& store,
          Metrics& metrics, const StopSignal& stop, SchemaIds& schema_ids, Resume& resume);
  ~Session();

  // Publishes until the stop signal, then waits for what is in flight and returns OK. An error says why it
  // ended before: SLOT_IN_USE (see ReplicationStream::Open), a permanent error of Kafka (kafka::IsPermanent),
  // or anything that may pass.
  absl::Status Run();
  // Something was confirmed: the error, if any, is a new one.
  bool progressed() const { return ledger_.confirmed() > 0; }

 private:
  absl::Status Prepare();
  absl::Status Rescan();
  absl::Status Stream();
  absl::Status Drain();

  // Takes a bounded number of frames from the stream, as long as there is room in flight.
  absl::Status Read();
  absl::Status Handle(std::string_view frame);
  absl::Status HandleMessage(std::string_view bytes);
  absl::Status Publish(const OutboxEvent& event);
  absl::Status ServeKafka();
  void OnDelivery(const kafka::Delivery& delivery);
  absl::Status ConfirmIfDue();
  // Without reading the stream. CANCELLED when stopped before.
  absl::Status WaitUntil(absl::FunctionRef<bool()> reached);
  // Until something happens on the stream (when it may be read), in Kafka's client or to the stop signal, or
  // a status is due.
  absl::Status Wait(bool reading);
  // Until the stream is to be read again, or the stop signal.
  absl::Status Gather();
  bool HasRoom() const;

  const Settings& settings_;
  const std::vector<kafka::TopicSpec>& topics_;
  OutboxStore& store_;
  Metrics& metrics_;
  const StopSignal& stop_;
  SchemaIds& schema_ids_;
  // Where the session before ended and, at the end, where this one did.
  Resume& resume_;

  Ledger ledger_;
  std::unique_ptr<kafka::Producer> producer_;
  std::unique_ptr<ReplicationStream> stream_;
  RecordBuilder builder_;
  // The event types seen, so that the ledger can point to their names.
  std::set<std::string, std::less<>> event_types_;
  // Of events whose trace is recorded, until they are acknowledged; by tag.
  std::map<std::uint64_t, telemetry::Span> spans_;

  std::uint32_t relation_id_ = 0;
  std::optional<OutboxColumns> columns_;
  absl::Time commit_time_ = absl::InfinitePast();
  // Frames may be waiting that no socket announces: read on without waiting.
  bool more_ = false;
  // Not before: what is committed until then goes to Kafka together.
  absl::Time read_due_ = absl::InfinitePast();
  bool reply_requested_ = false;
  absl::Time status_due_ = absl::InfinitePast();
  // Acknowledged since PostgreSQL heard of the confirmed position last: bounded, because all of it comes
  // again after a crash.
  int unreported_ = 0;
  // The first refusal; what follows it is only its consequence.
  absl::Status refused_;
};

}  // namespace bv::relay
