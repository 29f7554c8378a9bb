#include "services/webhook-dispatcher/delivery/retention.h"

#include <vector>

#include "libs/base/macros.h"
#include "libs/telemetry/telemetry.h"
#include "services/webhook-dispatcher/store/old_deliveries.h"

namespace bv::webhook {
namespace {

// Deliveries of one transaction: others wait for its locks no longer than a moment.
constexpr int kDeleteMax = 1000;

}  // namespace

void Retention::Start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

void Retention::Stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void Retention::Run(const std::stop_token& stop) {
  std::unique_lock lock(waiting_);
  while (!stop.stop_requested()) {
    if (const absl::Status status = Round(stop); !status.ok())
      telemetry::Log(telemetry::Level::kWarn, "old deliveries were not deleted", {{"error", status}});
    stopped_.wait_for(lock, stop, absl::ToChronoNanoseconds(settings_.interval), [] { return false; });
  }
}

absl::Status Retention::Round(const std::stop_token& stop) {
  std::vector<TenantId> tenants;
  RETURN_IF_ERROR(session_.Read({postgres::EveryTenant()}, [&](postgres::Session& session) {
    tenants = TenantsWithOldDeliveries(session, settings_.keep);
    return absl::OkStatus();
  }));
  for (const TenantId& tenant : tenants) {
    int deleted = kDeleteMax;
    while (deleted == kDeleteMax && !stop.stop_requested()) {
      RETURN_IF_ERROR(session_.Transact({tenant}, [&](postgres::Session& session) {
        deleted = DeleteOldDeliveries(session, tenant, settings_.keep, kDeleteMax);
        return absl::OkStatus();
      }));
    }
  }
  return absl::OkStatus();
}

}  // namespace bv::webhook
