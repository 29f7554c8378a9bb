// Whether two versions of a read model are equal: counts, sums and a hash of the rows by bucket, in memory
// that does not grow with them.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "libs/projections/sink.h"

namespace bv::projections {

// What a scan of all rows comes to. Rows that hold nothing (removed, or all sums 0) count as if they were not
// there, so that a store may forget them.
class Digest {
 public:
  static constexpr int kBuckets = 4096;

  explicit Digest(const Shape& shape) : sums_(shape.sums.size()) {}

  void Add(const Row& row);

  // Of the hash of the row's key.
  static int BucketOf(const Row& row);

  std::int64_t rows() const { return rows_; }
  // In the order of the shape, modulo 2^64.
  const std::vector<std::int64_t>& sums() const { return sums_; }
  std::int64_t rows_in(int bucket) const { return buckets_[bucket].rows; }
  // In which the rows of the two differ, growing.
  static std::vector<int> Different(const Digest& a, const Digest& b);

 private:
  struct Bucket {
    std::int64_t rows = 0;
    // The sum of the rows' hashes, modulo 2^64: it does not depend on their order.
    std::uint64_t hashes = 0;
    friend bool operator==(const Bucket&, const Bucket&) = default;
  };
  std::int64_t rows_ = 0;
  std::vector<std::int64_t> sums_;
  std::array<Bucket, kBuckets> buckets_ = {};
};

struct Difference {
  RowKey key;
  // Absent when that version does not have the row.
  std::optional<Row> live, rebuilt;
};

struct Parity {
  // Of both, in the pass that found no difference or named them.
  Positions positions;
  Digest live, rebuilt;
  std::vector<int> buckets_different;
  // Some of the rows that differ, by key, of the first of these buckets; empty exactly when both are equal.
  std::vector<Difference> differences;

  bool equal() const { return buckets_different.empty(); }
};

struct CompareSettings {
  // Named at most, and so many rows are held in memory to find them (one bucket's, if it has more).
  std::size_t differences_max = 100;
  std::int64_t rows_max = 20'000;
};

// Compares both versions at the same positions while events go on: reads the live rows and the positions that
// they have at that moment, has `catch_up` bring the rebuilt ones, which nobody else writes, to exactly
// these, and reads those. Where buckets differ a second pass, at newer positions, finds the rows; when it
// finds none, all of it is done again. ABORTED when that does not settle, or the rebuilt rows have other
// positions than they were to have. Rows that Projection::forgotten leaves out of account count as if they
// were not there.
absl::StatusOr<Parity> Compare(const Projection& projection, ReadModel& live, ReadModel& rebuilt,
                               const std::function<absl::Status(const Positions&)>& catch_up,
                               const CompareSettings& settings = {});

}  // namespace bv::projections
