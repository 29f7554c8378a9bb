#include "services/gateway/rest/shedding.h"

#include <algorithm>

#include "libs/telemetry/telemetry.h"

namespace bv::gateway {
namespace {

constexpr std::array<int, kPriorities> kPercent = {50, 70, 85, 100};
constexpr std::array<const char*, kPriorities> kNames = {"list", "read", "change", "order"};

}  // namespace

Admission::Admission(int calls_max)
    : gauge_(telemetry::Gauge("gateway_calls", "Requests that services are asked now.")) {
  for (std::size_t i = 0; i < kPriorities; ++i) {
    calls_max_[i] = std::max(1, calls_max * kPercent[i] / 100);
    shed_[i] =
        &telemetry::Counter("gateway_shed_total", "Requests refused because there were too many at once.",
                            {{"priority", kNames[i]}});
  }
}

std::optional<Admission::Place> Admission::Enter(Priority priority) {
  const auto index = static_cast<std::size_t>(priority);
  const int before = calls_.fetch_add(1, std::memory_order_relaxed);
  Place place(this);
  gauge_.Set(before + 1);
  if (before < calls_max_[index]) return place;
  shed_[index]->Increment();
  return std::nullopt;
}

Admission::Place::~Place() {
  if (admission_ == nullptr) return;
  admission_->gauge_.Set(admission_->calls_.fetch_sub(1, std::memory_order_relaxed) - 1);
}

}  // namespace bv::gateway
