// A projection: a pure function from an event to changes of rows. It knows neither Kafka nor a database, so
// that the live path and a rebuild run the same one, into any store (sink.h).
//
//   Projection OrdersByCustomer() {
//     return {.name = "orders_by_customer", .version = 1, .topics = {events::TypeOf<OrderCreated>().topic},
//             .shape = …, .changes = [](const Event& event) -> absl::StatusOr<std::vector<Change>> { … }};
//   }
//
// Rows are the same whatever the order in which their changes come, and however often (but for sums): each
// facet of a row holds what the highest version wrote. So two writers, a rebuild and the live path, may write
// the same row.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/civil_time.h>
#include <absl/time/time.h>

#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "libs/base/values.h"
#include "libs/events/envelope.h"

namespace bv::projections {

// kTime counts microseconds. kDay is a day of the calendar, without a zone.
enum class Kind { kText, kInteger, kTime, kDay };
// The alternatives stand in the order of Kind.
using Value = std::variant<std::string, std::int64_t, absl::Time, absl::CivilDay>;

struct Column {
  // lower_case; a column's name in a store.
  std::string name;
  Kind kind = Kind::kText;
};

// Columns that are written together. A row has a version for each of its facets, and each holds the values of
// the highest version that was put; a facet that nothing was put into has version 0 and no values.
struct Facet {
  // lower_case; unique in its shape.
  std::string name;
  std::vector<Column> columns;
};

// What the rows of a projection are made of: a key, and either facets or sums.
struct Shape {
  // The tenant comes first in every key and is not listed.
  std::vector<Column> key;
  std::vector<Facet> facets;
  // Columns of whole numbers that begin at 0 and are added to.
  std::vector<std::string> sums;
  // The column (kTime, of a facet) that says when the row ends, or empty. A store that can forget rows by
  // itself forgets it then; readers of the others compare.
  std::string ends_at = {};
};

// Puts `values`, one for each column of the facet, unless the facet has this version or a higher one. What is
// put into a facet under one version is always the same. `version` is 1 or more: the aggregate's, or one of
// the row's own.
struct Put {
  std::size_t facet = 0;
  std::int64_t version = 0;
  std::vector<Value> values;
};
// Takes away what has been put into the row under lower versions, all of its facets. A later Put of a higher
// version brings the row back, one of a lower version does not, so that a store keeps the versions of what
// was removed, or knows in another way that it is older. Under the same version either the row is removed or
// it is put, never both.
struct Remove {
  std::int64_t version = 0;
};
// Adds to the sums, in their order. Added once for each event: see Sink.
struct Add {
  std::vector<std::int64_t> amounts;
};

struct Change {
  TenantId tenant;
  // One value for each column of the shape's key.
  std::vector<Value> key;
  std::variant<Put, Remove, Add> what;
};

struct Event {
  TenantId tenant;
  // Of the aggregate, after what the event announces: header `aggregateVersion`. Events of one change share
  // it.
  std::int64_t aggregate_version = 0;
  const events::Envelope& envelope;
};

struct Row;

struct Projection {
  // lower_case; the name of its rows in a store (a table, an index, the first part of a key).
  std::string name;
  // Of function and shape: grows when rows that were made before have to be rebuilt.
  int version = 1;
  std::vector<std::string> topics;
  Shape shape;
  // None for events that it passes over. Pure and thread safe. INVALID_ARGUMENT for an event that can never
  // be applied, the field named.
  std::function<absl::StatusOr<std::vector<Change>>(const Event&)> changes;
  // Whether a row may have been deleted by its age, or will be within an hour from `now`: a comparison leaves
  // it out. Absent: rows are kept for ever.
  std::function<bool(const Row& row, absl::Time now)> forgotten = {};
};

}  // namespace bv::projections
