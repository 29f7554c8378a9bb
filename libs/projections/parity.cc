#include "libs/projections/parity.h"

#include <absl/time/clock.h>

#include <algorithm>
#include <map>

#include "libs/base/error.h"
#include "libs/base/macros.h"

namespace bv::projections {
namespace {

// Differences that vanish under a second look are no differences; they are looked for this often.
constexpr int kPassesMax = 5;

bool HoldsNothing(const Row& row) {
  return std::ranges::all_of(row.facets, [](const FacetState& facet) { return facet.values.empty(); }) &&
         std::ranges::all_of(row.sums, [](std::int64_t sum) { return sum == 0; });
}

// Rows that count.
using Visit = std::function<void(const Row&)>;
absl::StatusOr<Positions> ScanCounted(const Projection& projection, ReadModel& rows, absl::Time now,
                                      const Visit& visit) {
  return rows.Scan(projection, [&](const Row& row) {
    if (HoldsNothing(row) || (projection.forgotten && projection.forgotten(row, now))) return;
    visit(row);
  });
}

class Comparison {
 public:
  Comparison(const Projection& projection, ReadModel& live, ReadModel& rebuilt,
             const std::function<absl::Status(const Positions&)>& catch_up, const CompareSettings& settings)
      : projection_(projection),
        live_(live),
        rebuilt_(rebuilt),
        catch_up_(catch_up),
        settings_(settings),
        now_(absl::Now()) {}

  absl::StatusOr<Parity> Digests() {
    Parity parity{.live = Digest(projection_.shape), .rebuilt = Digest(projection_.shape)};
    ASSIGN_OR_RETURN(parity.positions, Scan([&](const Row& row) { parity.live.Add(row); },
                                            [&](const Row& row) { parity.rebuilt.Add(row); }));
    parity.buckets_different = Digest::Different(parity.live, parity.rebuilt);
    return parity;
  }

  // Of the first of the buckets that differ, at positions of their own.
  absl::StatusOr<std::vector<Difference>> Differences(const Parity& parity) {
    std::vector<bool> wanted(Digest::kBuckets);
    std::int64_t rows = 0;
    for (const int bucket : parity.buckets_different) {
      rows += std::max(parity.live.rows_in(bucket), parity.rebuilt.rows_in(bucket));
      if (rows > settings_.rows_max && bucket != parity.buckets_different.front()) break;
      wanted[bucket] = true;
    }
    std::map<RowKey, Difference> differences;
    const auto note_live = [&](const Row& row) {
      if (!wanted[Digest::BucketOf(row)]) return;
      RowKey key(row.tenant, row.key);
      differences[key] = {.key = key, .live = row};
    };
    const auto note_rebuilt = [&](const Row& row) {
      if (!wanted[Digest::BucketOf(row)]) return;
      RowKey key(row.tenant, row.key);
      const auto found = differences.find(key);
      if (found == differences.end()) {
        differences[key] = {.key = key, .rebuilt = row};
      } else if (*found->second.live == row) {
        differences.erase(found);
      } else {
        found->second.rebuilt = row;
      }
    };
    RETURN_IF_ERROR(Scan(note_live, note_rebuilt).status());
    std::vector<Difference> first;
    for (auto& [key, difference] : differences) {
      if (first.size() == settings_.differences_max) break;
      first.push_back(std::move(difference));
    }
    return first;
  }

 private:
  // Both at the same positions, which are returned.
  absl::StatusOr<Positions> Scan(const Visit& live, const Visit& rebuilt) {
    ASSIGN_OR_RETURN(const Positions positions, ScanCounted(projection_, live_, now_, live));
    RETURN_IF_ERROR(catch_up_(positions));
    ASSIGN_OR_RETURN(const Positions reached, ScanCounted(projection_, rebuilt_, now_, rebuilt));
    if (WithoutZeros(positions) != WithoutZeros(reached)) {
      return Error(absl::StatusCode::kAborted, "POSITIONS_DIFFER",
                   "the rebuilt rows are not at the positions of the live ones");
    }
    return positions;
  }

  const Projection& projection_;
  ReadModel& live_;
  ReadModel& rebuilt_;
  const std::function<absl::Status(const Positions&)>& catch_up_;
  const CompareSettings& settings_;
  const absl::Time now_;
};

}  // namespace

void Digest::Add(const Row& row) {
  if (HoldsNothing(row)) return;
  ++rows_;
  for (std::size_t i = 0; i < sums_.size(); ++i) {
    sums_[i] = static_cast<std::int64_t>(static_cast<std::uint64_t>(sums_[i]) +
                                         static_cast<std::uint64_t>(row.sums[i]));
  }
  Bucket& bucket = buckets_[BucketOf(row)];
  ++bucket.rows;
  bucket.hashes += HashOf(row);
}

int Digest::BucketOf(const Row& row) {
  return static_cast<int>(HashOfKey(row) % kBuckets);
}

std::vector<int> Digest::Different(const Digest& a, const Digest& b) {
  std::vector<int> buckets;
  for (int bucket = 0; bucket < kBuckets; ++bucket) {
    if (a.buckets_[bucket] != b.buckets_[bucket]) buckets.push_back(bucket);
  }
  return buckets;
}

absl::StatusOr<Parity> Compare(const Projection& projection, ReadModel& live, ReadModel& rebuilt,
                               const std::function<absl::Status(const Positions&)>& catch_up,
                               const CompareSettings& settings) {
  for (int pass = 0; pass < kPassesMax; ++pass) {
    Comparison comparison(projection, live, rebuilt, catch_up, settings);
    ASSIGN_OR_RETURN(Parity parity, comparison.Digests());
    if (parity.equal()) return parity;
    ASSIGN_OR_RETURN(parity.differences, comparison.Differences(parity));
    if (!parity.differences.empty()) return parity;
  }
  return Error(absl::StatusCode::kAborted, "COMPARISON_UNSETTLED",
               "the rows that differ are others each time");
}

}  // namespace bv::projections
