#include "services/notification/sse/endpoint.h"

#include <boost/asio/strand.hpp>
#include <utility>

#include "libs/base/clock.h"
#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/base/values.h"
#include "libs/http/uri.h"
#include "libs/telemetry/telemetry.h"
#include "services/notification/edge/client.h"
#include "services/notification/hub/read_events.h"

namespace bv::notification {
namespace {

// What a stream takes to end once it was cut off.
constexpr absl::Duration kAbortTime = absl::Seconds(5);

// From the parameter `tenant` or the header X-Tenant-Id.
absl::StatusOr<TenantId> TenantOf(const http::Request& request) {
  std::string parameter;
  if (!http::FindParameter(request.query, "tenant", parameter)) {
    return Error(absl::StatusCode::kInvalidArgument, "MALFORMED_QUERY",
                 "a '%' must be followed by two hexadecimal digits");
  }
  const std::string_view header = request.Find("X-Tenant-Id");
  if (parameter.empty() && header.empty()) {
    return Error(absl::StatusCode::kInvalidArgument, "TENANT_MISSING",
                 "name the tenant in this parameter, or in the header X-Tenant-Id", "tenant");
  }
  if (!parameter.empty() && !header.empty() && parameter != header)
    return InvalidValue("tenant", "differs from the header X-Tenant-Id");
  return TenantId::Parse(parameter.empty() ? header : parameter, "tenant");
}

// Where the client was; what is no cursor of ours is none, as the client cannot mend it.
std::optional<Cursor> LastEventOf(const http::Request& request) {
  const std::string_view id = request.Find("Last-Event-ID");
  if (id.empty()) return std::nullopt;
  absl::StatusOr<Cursor> cursor = Cursor::Parse(id, "Last-Event-ID");
  return cursor.ok() ? std::optional(*std::move(cursor)) : std::nullopt;
}

struct SalesMetrics {
  prometheus::Counter& read =
      telemetry::Counter("notification_events_total", "Events read from Kafka.", {{"of", "flash-sales"}});
  prometheus::Counter& unreadable =
      telemetry::Counter("notification_events_unreadable_total", "Messages that are no event, passed over.",
                         {{"of", "flash-sales"}});
};

SalesMetrics& Metrics() {
  static SalesMetrics metrics;
  return metrics;
}

}  // namespace

SalesEndpoint::SalesEndpoint(boost::asio::io_context& io, const StreamSettings& settings,
                             std::vector<std::string> origins, int audiences)
    : settings_(settings),
      origins_(std::move(origins)),
      limits_(settings.connections_max),
      heartbeat_at_(MonotonicNow() + settings.heartbeat_interval),
      sales_(settings.log_bytes_max) {
  for (int i = 0; i < audiences; ++i) {
    audiences_.push_back(std::make_shared<Audience>(boost::asio::make_strand(io),
                                                    static_cast<std::size_t>(settings.send_bytes_max)));
  }
}

void SalesEndpoint::Begin(int partition, std::int64_t offset) {
  const std::lock_guard lock(mutex_);
  sales_.Begin(partition, offset);
}

void SalesEndpoint::Handle(std::span<const kafka::Message> messages) {
  for (const kafka::Message& message : messages) {
    absl::StatusOr<SaleEventPtr> event = ReadSaleEvent(message);
    const std::lock_guard lock(mutex_);
    if (!event.ok()) {
      Metrics().unreadable.Increment();
      telemetry::LogLimited(telemetry::Level::kError, "a message is no event of a flash sale",
                            {{"topic", message.topic},
                             {"partition", message.partition},
                             {"offset", message.offset},
                             {"error", event.status()}});
    }
    if (!event.ok() || *event == nullptr) {
      sales_.Pass({.partition = message.partition, .offset = message.offset});
      continue;
    }
    Metrics().read.Increment();
    if (sales_.Add(*event)) Publish(*event);
  }
}

void SalesEndpoint::Publish(const SaleEventPtr& event) {
  auto end = std::make_shared<const Cursor>(sales_.end());
  std::string text;
  AppendSale(*event, end->Text(), text);
  const Broadcast broadcast{.number = ++broadcasts_,
                            .event = event,
                            .text = std::make_shared<const std::string>(std::move(text)),
                            .end = std::move(end)};
  for (const auto& audience : audiences_) audience->Send(broadcast);
}

absl::Status SalesEndpoint::Open(const http::Request& request, http::Response& response) {
  ASSIGN_OR_RETURN(const TenantId tenant, TenantOf(request));
  ASSIGN_OR_RETURN(Audience::Place place, limits_.Take({{.name = std::string(AddressOf(request)),
                                                         .max = settings_.connections_per_address_max}}));
  const bool is_allowed = !request.Find("Origin").empty() && IsOriginAllowed(request, origins_);
  response.take_over = [this, tenant = tenant.str(), place = std::move(place), last = LastEventOf(request),
                        head = StreamHead(is_allowed ? request.Find("Origin") : std::string_view())](
                           http::Takeover connection) {
    const auto& audience = audiences_[next_.fetch_add(1, std::memory_order_relaxed) % audiences_.size()];
    audience->Join(std::move(connection), tenant, place,
                   [this, tenant, last, head] { return Greet(tenant, last, head); });
  };
  return absl::OkStatus();
}

Greeting SalesEndpoint::Greet(const std::string& tenant, const std::optional<Cursor>& last,
                              std::string head) const {
  Greeting greeting{.text = std::move(head)};
  AppendRetry(settings_.retry, greeting.text);
  const std::lock_guard lock(mutex_);
  greeting.number = broadcasts_;
  const auto missed = last ? sales_.Behind(tenant, *last) : std::nullopt;
  if (!missed) {
    AppendSnapshot(sales_.Running(tenant), sales_.end().Text(), greeting.text);
    return greeting;
  }
  greeting.feed.emplace(*last);
  for (const SaleEventPtr& event : *missed)
    AppendSale(*event, greeting.feed->Replay(event->position), greeting.text);
  greeting.feed->EndReplay(sales_.end());
  return greeting;
}

void SalesEndpoint::Sweep() {
  if (MonotonicNow() < heartbeat_at_) return;
  heartbeat_at_ = MonotonicNow() + settings_.heartbeat_interval;
  const auto heartbeat = std::make_shared<const std::string>(Heartbeat());
  for (const auto& audience : audiences_) audience->SendToAll(heartbeat);
}

void SalesEndpoint::Drain(absl::Time deadline) {
  for (const auto& audience : audiences_) {
    audience->Dismiss([this]() -> Text {
      std::string last;
      AppendRetry(ReconnectWait(settings_.reconnect_jitter), last);
      return std::make_shared<const std::string>(std::move(last));
    });
  }
  if (limits_.AwaitAllFree(deadline)) return;
  for (const auto& audience : audiences_) audience->Abort();
  limits_.AwaitAllFree(absl::Now() + kAbortTime);
}

}  // namespace bv::notification
