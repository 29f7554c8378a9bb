#include "services/outbox-relay/relay/session.h"

#include <poll.h>

#include <array>
#include <optional>

#include "libs/base/clock.h"
#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/kafka/admin.h"
#include "libs/kafka/error.h"

namespace bv::relay {
namespace {

using telemetry::Level;

constexpr char kPublication[] = "bv_outbox";
constexpr char kSchema[] = "outbox";
constexpr char kTable[] = "event";
// Frames between two looks at Kafka's acknowledgements.
constexpr int kFramesPerRead = 256;
// For PostgreSQL to end the stream, when nothing is left of the time to stop.
constexpr absl::Duration kLastWord = absl::Milliseconds(200);

bool IsSampled(std::string_view traceparent) {
  return traceparent.size() == 55 && traceparent.ends_with("-01");
}

telemetry::Span SpanOf(const OutboxEvent& event) {
  telemetry::Span span(Concat("publish ", event.aggregate_type), telemetry::SpanKind::kProducer,
                       telemetry::ParseTraceparent(event.traceparent));
  span.Set("messaging.system", "kafka");
  span.Set("messaging.destination.name", event.aggregate_type);
  span.Set("messaging.message.id", event.id);
  span.Set("messaging.kafka.message.key", event.aggregate_id);
  span.Set("eventType", event.type);
  return span;
}

}  // namespace

Session::Session(const Settings& settings, const std::vector<kafka::TopicSpec>& topics, OutboxStore& store,
                 Metrics& metrics, const StopSignal& stop, SchemaIds& schema_ids, Resume& resume)
    : settings_(settings),
      topics_(topics),
      store_(store),
      metrics_(metrics),
      stop_(stop),
      schema_ids_(schema_ids),
      resume_(resume),
      builder_(schema_ids) {}

Session::~Session() {
  if (progressed()) resume_ = {.server = stream_->server(), .confirmed = ledger_.confirmed()};
  metrics_.is_leader.Set(0);
  metrics_.records_in_flight.Set(0);
  metrics_.bytes_in_flight.Set(0);
  metrics_.oldest_event_seconds.Set(0);
}

absl::Status Session::Run() {
  RETURN_IF_ERROR(store_.EnsureSlot(settings_.slot));
  ASSIGN_OR_RETURN(stream_,
                   ReplicationStream::Open(settings_.postgres, settings_.slot, kPublication, resume_));
  metrics_.is_leader.Set(1);
  RETURN_IF_ERROR(Prepare());
  telemetry::Log(Level::kInfo, "publishing", {{"slot", settings_.slot}});
  ASSIGN_OR_RETURN(const bool rescan, store_.RescanPending(settings_.slot));
  if (rescan) RETURN_IF_ERROR(Rescan());
  return Stream();
}

absl::Status Session::Prepare() {
  ASSIGN_OR_RETURN(producer_, kafka::Producer::Create(settings_.kafka,
                                                      [this](const kafka::Delivery& d) { OnDelivery(d); }));
  const absl::Time deadline = absl::Now() + kKafkaPatience;
  RETURN_IF_ERROR(kafka::CreateMissingTopics(*producer_, topics_, settings_.replication_factor, deadline));
  for (const kafka::TopicSpec& topic : topics_) RETURN_IF_ERROR(producer_->Warm(topic.name, deadline));
  return absl::OkStatus();
}

// The slot is held meanwhile, so no other relay does the same, and the stream is not read: what it holds
// comes after, and again.
absl::Status Session::Rescan() {
  std::uint64_t count = 0;
  const auto publish = [&](const OutboxEvent& event) -> absl::Status {
    RETURN_IF_ERROR(Publish(event));
    ++count;
    metrics_.rescanned.Increment();
    RETURN_IF_ERROR(ServeKafka());
    RETURN_IF_ERROR(ConfirmIfDue());
    return WaitUntil([this] { return HasRoom(); });
  };
  RETURN_IF_ERROR(store_.ForEachRetained(publish));
  RETURN_IF_ERROR(WaitUntil([this] { return ledger_.records_in_flight() == 0; }));
  RETURN_IF_ERROR(store_.FinishRescan(settings_.slot));
  if (count > 0) telemetry::Log(Level::kWarn, "retained events published again", {{"events", count}});
  return absl::OkStatus();
}

absl::Status Session::WaitUntil(absl::FunctionRef<bool()> reached) {
  while (!reached()) {
    if (stop_.IsSet()) return absl::CancelledError("stopped");
    RETURN_IF_ERROR(Wait(false));
    RETURN_IF_ERROR(ServeKafka());
    RETURN_IF_ERROR(ConfirmIfDue());
  }
  return absl::OkStatus();
}

absl::Status Session::Stream() {
  // A transaction that was begun is read to its end, which follows at once: only then can it be confirmed,
  // and is not sent again.
  while (!stop_.IsSet() || (ledger_.half_read() && absl::Now() < stop_.deadline())) {
    RETURN_IF_ERROR(Read());
    RETURN_IF_ERROR(ServeKafka());
    RETURN_IF_ERROR(ConfirmIfDue());
    if (!stop_.IsSet()) RETURN_IF_ERROR(Wait(true));
  }
  return Drain();
}

absl::Status Session::Drain() {
  while (ledger_.records_in_flight() > 0 && absl::Now() < stop_.deadline()) {
    RETURN_IF_ERROR(ServeKafka());
    RETURN_IF_ERROR(ConfirmIfDue());
    pollfd waiting{.fd = producer_->event_fd(), .events = POLLIN, .revents = 0};
    poll(&waiting, 1, PollMillis(std::min(settings_.status_interval, stop_.deadline() - absl::Now())));
  }
  RETURN_IF_ERROR(ServeKafka());
  RETURN_IF_ERROR(stream_->SendStatus(ledger_.confirmed()));
  const absl::Status finished = stream_->Finish(std::max(stop_.deadline(), absl::Now() + kLastWord));
  if (!finished.ok()) {
    telemetry::Log(Level::kWarn,
                   "PostgreSQL may not have heard what was confirmed last, which is then published again",
                   {{"error", finished}});
  }
  telemetry::Log(Level::kInfo, "publishing ended",
                 {{"unacknowledged", static_cast<std::uint64_t>(ledger_.records_in_flight())},
                  {"confirmed", FormatLsn(ledger_.confirmed())}});
  return absl::OkStatus();
}

absl::Status Session::Read() {
  const absl::Time begin = MonotonicNow();
  bool dry = false;
  for (int i = 0; i < kFramesPerRead && HasRoom(); ++i) {
    ASSIGN_OR_RETURN(const std::optional<std::string_view> frame, stream_->Next());
    if (frame) {
      dry = false;
      read_due_ = begin + settings_.gather;
      RETURN_IF_ERROR(Handle(*frame));
      if (stop_.IsSet() && !ledger_.half_read()) return absl::OkStatus();
    } else if (!dry) {
      RETURN_IF_ERROR(stream_->Receive());
      dry = true;
    } else {
      more_ = false;
      return absl::OkStatus();
    }
  }
  more_ = true;
  return absl::OkStatus();
}

absl::Status Session::Handle(std::string_view bytes) {
  ASSIGN_OR_RETURN(const Frame frame, DecodeFrame(bytes));
  if (const auto* data = std::get_if<LogData>(&frame)) return HandleMessage(data->message);
  const auto& keepalive = std::get<Keepalive>(frame);
  ledger_.Idle(keepalive.end);
  reply_requested_ |= keepalive.reply_requested;
  return absl::OkStatus();
}

absl::Status Session::HandleMessage(std::string_view bytes) {
  ASSIGN_OR_RETURN(const Message message, DecodeMessage(bytes));
  if (const auto* insert = std::get_if<Insert>(&message)) {
    // Another table of the publication is not ours to publish.
    if (!columns_ || insert->relation_id != relation_id_) return absl::OkStatus();
    ASSIGN_OR_RETURN(const OutboxEvent event, columns_->Read(insert->values));
    return Publish(event);
  }
  if (const auto* begin = std::get_if<Begin>(&message)) {
    commit_time_ = begin->commit_time;
    ledger_.Begin();
  } else if (const auto* commit = std::get_if<Commit>(&message)) {
    ledger_.Commit(commit->end_lsn);
  } else if (const auto* relation = std::get_if<Relation>(&message);
             relation != nullptr && relation->schema == kSchema && relation->name == kTable) {
    ASSIGN_OR_RETURN(columns_, OutboxColumns::Find(relation->columns));
    relation_id_ = relation->id;
  }
  return absl::OkStatus();
}

absl::Status Session::Publish(const OutboxEvent& event) {
  schema_ids_.Refresh();
  std::optional<telemetry::Span> span;
  OutboxEvent published = event;
  std::string traceparent;
  if (IsSampled(event.traceparent)) {
    span.emplace(SpanOf(event));
    // Whoever handles the event hangs below its publication.
    traceparent = span->context().ToTraceparent();
    published.traceparent = traceparent;
  }
  kafka::Record record = builder_.Build(published);
  const std::string* event_type = &*event_types_.emplace(event.type).first;
  record.tag = ledger_.Add(BytesOf(record), {.commit_time = commit_time_, .event_type = event_type});
  if (span) spans_.emplace(record.tag, *std::move(span));
  absl::Status status = producer_->Produce(record);
  // The ledger keeps the queue below its limit, save for what librdkafka adds to each record.
  while (absl::IsResourceExhausted(status)) {
    RETURN_IF_ERROR(Wait(false));
    RETURN_IF_ERROR(ServeKafka());
    RETURN_IF_ERROR(ConfirmIfDue());
    status = producer_->Produce(record);
  }
  if (!status.ok()) {
    metrics_.produce_errors.Increment();
    telemetry::LogLimited(Level::kError, "event refused by Kafka",
                          {{"eventType", event.type},
                           {"eventId", event.id},
                           {"tenantId", event.tenant_id},
                           {"aggregateId", event.aggregate_id},
                           {"error", status}});
    return status;
  }
  if (telemetry::LogEnabled(Level::kDebug)) {
    telemetry::Log(Level::kDebug, "event handed to Kafka",
                   {{"eventType", event.type},
                    {"eventId", event.id},
                    {"tenantId", event.tenant_id},
                    {"aggregateId", event.aggregate_id},
                    {"correlationId", event.correlation_id}});
  }
  return absl::OkStatus();
}

absl::Status Session::ServeKafka() {
  producer_->Poll();
  RETURN_IF_ERROR(refused_);
  return producer_->fatal();
}

void Session::OnDelivery(const kafka::Delivery& delivery) {
  if (!delivery.status.ok()) {
    metrics_.produce_errors.Increment();
    if (!refused_.ok()) return;
    refused_ = delivery.status;
    const std::optional<Ledger::Note> note = ledger_.Find(delivery.tag);
    telemetry::Log(Level::kError, "event refused by Kafka",
                   {{"eventType", note ? *note->event_type : ""}, {"error", delivery.status}});
    return;
  }
  const Lsn confirmed_before = ledger_.confirmed();
  const std::optional<Ledger::Note> note = ledger_.Acknowledge(delivery.tag);
  if (!note) return;
  // A refused event is in the first transaction that is not confirmed, so one that is confirmed now has
  // passed it.
  if (ledger_.confirmed() > confirmed_before) metrics_.blocked.Set(0);
  metrics_.published.Increment();
  ++unreported_;
  if (note->commit_time != absl::InfinitePast()) {
    metrics_.publish_latency.Observe(std::max(absl::ToDoubleSeconds(absl::Now() - note->commit_time), 0.0));
  }
  if (!spans_.empty()) spans_.erase(delivery.tag);
}

absl::Status Session::ConfirmIfDue() {
  const absl::Time now = MonotonicNow();
  const bool many = unreported_ >= settings_.in_flight_records_max;
  if (!reply_requested_ && !many && now < status_due_) return absl::OkStatus();
  reply_requested_ = false;
  unreported_ = 0;
  status_due_ = now + settings_.status_interval;
  metrics_.records_in_flight.Set(static_cast<double>(ledger_.records_in_flight()));
  metrics_.bytes_in_flight.Set(static_cast<double>(ledger_.bytes_in_flight()));
  const absl::Time oldest = ledger_.oldest_commit();
  metrics_.oldest_event_seconds.Set(
      oldest == absl::InfinitePast() ? 0 : std::max(absl::ToDoubleSeconds(absl::Now() - oldest), 0.0));
  return stream_->SendStatus(ledger_.confirmed());
}

absl::Status Session::Wait(bool reading) {
  reading = reading && HasRoom();
  if (reading && more_) return absl::OkStatus();
  if (reading && MonotonicNow() < read_due_) return Gather();
  ASSIGN_OR_RETURN(const bool writing, stream_->Flush());
  const short stream_events = static_cast<short>((reading ? POLLIN : 0) | (writing ? POLLOUT : 0));
  std::array<pollfd, 3> waiting = {{{.fd = producer_->event_fd(), .events = POLLIN, .revents = 0},
                                    {.fd = stop_.fd(), .events = POLLIN, .revents = 0},
                                    {.fd = stream_->fd(), .events = stream_events, .revents = 0}}};
  poll(waiting.data(), waiting.size(), PollMillis(status_due_ - MonotonicNow()));
  return absl::OkStatus();
}

// Acknowledgements wait as well: nobody needs them sooner, and each would wake this thread.
absl::Status Session::Gather() {
  pollfd stop{.fd = stop_.fd(), .events = POLLIN, .revents = 0};
  const timespec rest = absl::ToTimespec(std::max(read_due_ - MonotonicNow(), absl::ZeroDuration()));
  ppoll(&stop, 1, &rest, nullptr);
  return absl::OkStatus();
}

bool Session::HasRoom() const {
  return ledger_.records_in_flight() < static_cast<std::size_t>(settings_.in_flight_records_max) &&
         ledger_.bytes_in_flight() < static_cast<std::size_t>(settings_.in_flight_bytes_max);
}

}  // namespace bv::relay
