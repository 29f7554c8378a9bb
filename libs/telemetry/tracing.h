// Inside libs/telemetry: where spans go. Callers use telemetry.h.
#pragma once

#include <memory>

#include "libs/telemetry/exporter.h"

namespace bv::telemetry {

// From now on spans of sampled traces go to `exporter`, and `sample_ratio` (0 to 1) of the new traces are
// sampled. Null: no span is recorded and no new trace is sampled; one that arrives keeps its decision.
void SetExporter(std::shared_ptr<Exporter> exporter, double sample_ratio);

}  // namespace bv::telemetry
