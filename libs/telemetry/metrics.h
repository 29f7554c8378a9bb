// Inside libs/telemetry: the registry as the metrics page needs it. Callers use telemetry.h.
#pragma once

#include <prometheus/registry.h>

#include <memory>

namespace bv::telemetry {

std::shared_ptr<prometheus::Registry> SharedRegistry();

}  // namespace bv::telemetry
