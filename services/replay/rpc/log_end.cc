#include "services/replay/rpc/log_end.h"

#include <absl/time/clock.h>

#include <algorithm>
#include <map>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/kafka/log_reader.h"
#include "libs/projections/postgres_sink.h"

namespace bv::replay {
namespace {

using projections::Positions;
using Ranges = std::map<projections::Partition, kafka::OffsetRange>;

// Nothing is read, so nothing waits.
constexpr std::int64_t kBufferBytes = 1 << 20;

absl::StatusOr<Ranges> RangesOf(kafka::LogReader& reader, const projections::Projection& projection,
                                absl::Time deadline) {
  Ranges ranges;
  for (const std::string& topic : projection.topics) {
    ASSIGN_OR_RETURN(const auto partitions, reader.RangesOf(topic, deadline));
    for (const auto& [number, range] : partitions) {
      if (range.begin > 0) {
        return Error(
            absl::StatusCode::kFailedPrecondition, "LOG_INCOMPLETE",
            Concat(topic, "/", number, " begins at offset ", range.begin, ", what was before is gone"));
      }
      ranges[{topic, number}] = range;
    }
  }
  return ranges;
}

absl::StatusOr<Positions> EndAt(kafka::LogReader& reader, const projections::Projection& projection,
                                absl::Time time, absl::Time deadline) {
  if (time > absl::Now()) return InvalidValue("time", "must not lie in the future");
  Positions ends;
  for (const std::string& topic : projection.topics) {
    ASSIGN_OR_RETURN(const auto offsets, reader.OffsetsAt(topic, time, deadline));
    for (const auto& [number, offset] : offsets) ends[{topic, number}] = offset;
  }
  return ends;
}

absl::Status TakeOffsets(const Request& request, const Ranges& ranges, Positions& ends) {
  for (std::size_t i = 0; i < request.until_offsets.size(); ++i) {
    const PartitionOffset& end = request.until_offsets[i];
    const std::string field = Concat("offsets.offsets[", i, "]");
    const auto range = ranges.find({end.topic, end.partition});
    if (range == ranges.end()) return InvalidValue(field, "the projection reads no such partition");
    if (end.offset > range->second.end)
      return InvalidValue(field + ".offset", Concat("the partition ends at ", range->second.end));
    ends[range->first] = end.offset;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Positions> LogEnd(const kafka::ConsumerSettings& kafka,
                                 const postgres::ConnectionSettings& read_models,
                                 const projections::Projection& projection, const Request& request,
                                 absl::Time deadline) {
  kafka::LogReader reader(kafka, "replay-start", kBufferBytes);
  ASSIGN_OR_RETURN(const Ranges ranges, RangesOf(reader, projection, deadline));
  if (request.until_time) return EndAt(reader, projection, *request.until_time, deadline);
  if (request.until_offsets.empty()) return Positions{};
  ASSIGN_OR_RETURN(Positions ends,
                   projections::PostgresSink(read_models, std::nullopt).PositionsOf(projection));
  RETURN_IF_ERROR(TakeOffsets(request, ranges, ends));
  return ends;
}

}  // namespace bv::replay
