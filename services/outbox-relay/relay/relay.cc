#include "services/outbox-relay/relay/relay.h"

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/kafka/admin.h"
#include "libs/kafka/error.h"
#include "libs/resilience/backoff.h"
#include "services/outbox-relay/relay/session.h"

namespace bv::relay {
namespace {

using telemetry::Level;

resilience::BackoffSettings BackoffOf(const Settings& settings) {
  return {.min = settings.backoff_min, .max = std::max(settings.backoff_min, settings.backoff_max)};
}

}  // namespace

Relay::Relay(const Settings& settings, std::vector<kafka::TopicSpec> topics, Metrics& metrics,
             const StopSignal& stop)
    : settings_(settings),
      topics_(std::move(topics)),
      metrics_(metrics),
      stop_(stop),
      store_(settings.postgres) {}

Relay::~Relay() {
  Join();
}

absl::Status Relay::Prepare() {
  resilience::Backoff backoff(BackoffOf(settings_));
  while (true) {
    const absl::Status status = PrepareOnce();
    if (status.ok()) return status;
    telemetry::LogLimited(Level::kWarn, "not ready to publish, trying again", {{"error", status}});
    if (stop_.WaitFor(*backoff.Next())) return absl::CancelledError("stopped while starting");
  }
}

absl::Status Relay::PrepareOnce() {
  RETURN_IF_ERROR(store_.EnsureSlot(settings_.slot));
  ASSIGN_OR_RETURN(const auto producer,
                   kafka::Producer::Create(settings_.kafka, [](const kafka::Delivery&) {}));
  return kafka::CreateMissingTopics(*producer, topics_, settings_.replication_factor,
                                    absl::Now() + kKafkaPatience);
}

void Relay::Start() {
  thread_ = std::thread([this] { Publish(); });
}

void Relay::Join() {
  if (thread_.joinable()) thread_.join();
}

void Relay::Publish() {
  resilience::Backoff backoff(BackoffOf(settings_));
  Resume resume;
  SchemaIds schema_ids(settings_.schema_ids_file);
  bool standby = false;
  while (!stop_.IsSet()) {
    absl::Status status;
    bool progressed = false;
    {
      Session session(settings_, topics_, store_, metrics_, stop_, schema_ids, resume);
      status = session.Run();
      progressed = session.progressed();
    }
    if (stop_.IsSet()) break;
    if (kafka::IsPermanent(status)) metrics_.blocked.Set(1);
    if (ErrorReason(status) == kSlotInUse) {
      if (!standby) telemetry::Log(Level::kInfo, "standing by", {{"slot", settings_.slot}});
      standby = true;
      stop_.WaitFor(settings_.standby_interval);
      continue;
    }
    standby = false;
    metrics_.restarts.Increment();
    telemetry::LogLimited(Level::kWarn,
                          "publishing interrupted, beginning again at the last confirmed transaction",
                          {{"error", status}});
    if (progressed) backoff.Reset();
    stop_.WaitFor(*backoff.Next());
  }
}

}  // namespace bv::relay
