#include "libs/projections/sink.h"

namespace bv::projections {

Positions WithoutZeros(const Positions& positions) {
  Positions rest = positions;
  std::erase_if(rest, [](const auto& entry) { return entry.second == 0; });
  return rest;
}

}  // namespace bv::projections
