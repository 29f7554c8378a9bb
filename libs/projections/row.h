// A row of a projection as a value: how changes come together in it, and its canonical bytes, by which two
// versions of a read model are compared.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "libs/projections/projection.h"

namespace bv::projections {

struct FacetState {
  // 0: nothing was put.
  std::int64_t version = 0;
  // Empty when nothing was put, or it was removed.
  std::vector<Value> values;

  friend bool operator==(const FacetState&, const FacetState&) = default;
};

struct Row {
  TenantId tenant;
  std::vector<Value> key;
  // As many as the shape has.
  std::vector<FacetState> facets;
  std::vector<std::int64_t> sums;

  friend bool operator==(const Row&, const Row&) = default;
};
// Rows in the order in which writers lock them.
using RowKey = std::tuple<TenantId, std::vector<Value>>;

// INVALID_ARGUMENT for a change that does not fit: another number or kind of values, a version below 1, a Put
// of a facet that is not there, an Add where there are no sums.
absl::Status CheckFits(const Shape& shape, const Change& change);

// A row that nothing has changed yet.
Row EmptyRow(const Shape& shape, const RowKey& key);

// Applies a change that fits to its row. INVALID_ARGUMENT, reason AMOUNT_TOO_LARGE, when a sum leaves int64.
absl::Status Merge(const Change& change, Row& row);

// Appends the row as bytes: two rows have the same bytes exactly when they are equal. Every value has its
// kind and, if it is text, its length in front of it; numbers are 8 bytes, the highest first. The form is
// stored nowhere.
void AppendCanonical(const Row& row, std::string& bytes);

// The first 64 bits of the SHA-256 of the canonical bytes; the same in every process.
std::uint64_t HashOf(const Row& row);
// Of tenant and key alone.
std::uint64_t HashOfKey(const Row& row);

}  // namespace bv::projections
