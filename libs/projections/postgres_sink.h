// Rows of projections in PostgreSQL, with the positions in the same transaction.
//
// A projection's table has its name, and belongs to the service that reads it:
//
//   CREATE TABLE orders_by_customer (
//     tenant_id text NOT NULL,
//     rows_version int NOT NULL,            -- rows of several versions stand beside each other
//     <key columns, NOT NULL>,
//     <facet>_version bigint NOT NULL,      -- for each facet, 0 before anything was put …
//     <its columns>,                        -- … and these are NULL then, and when the row was removed
//     <sums> bigint NOT NULL,
//     PRIMARY KEY (tenant_id, rows_version, <key columns>));
//
// kText is text, kInteger bigint, kTime timestamptz, kDay date. The table has the row-level security of every
// table, and for Scan a policy that lets postgres::EveryTenant() read. Beside it stand three tables without
// tenants:
//
//   CREATE TABLE projection (              -- which rows are read
//     name text PRIMARY KEY, live_version int NOT NULL, made_by int NOT NULL);
//   CREATE TABLE projection_position (      -- how far rows of a version have come
//     name text, rows_version int, topic text, partition int, next_offset bigint NOT NULL,
//     PRIMARY KEY (name, rows_version, topic, partition));
//   CREATE TABLE projection_event (         -- which events are in the sums of a version
//     name text, rows_version int, event_id text, PRIMARY KEY (name, rows_version, event_id));
//
// Who reads takes `rows_version = (SELECT live_version FROM projection WHERE name = '…')` into the same
// statement.
#pragma once

#include <absl/status/statusor.h>

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "libs/postgres/postgres.h"
#include "libs/projections/sink.h"

namespace bv::projections {

class PostgresSink : public ReadModel {
 public:
  // Writes the rows of `rows_version`; absent: of the version that is live when a batch is applied, which
  // cannot be switched meanwhile. The latest batches of an explicit version may be lost when the server
  // crashes, with their positions; whatever is committed otherwise later, as a switch is, makes them durable.
  PostgresSink(const postgres::ConnectionSettings& connection, std::optional<int> rows_version);
  ~PostgresSink() override;

  // Makes version 1 live if the projection is new. Call it before Apply. A warning is logged, and the metric
  // projection_outdated is 1, when the live rows were made by another version of the function.
  absl::Status Register(const Projection& projection);

  // NOT_FOUND, reason PROJECTION_NOT_REGISTERED, before Register; the others as well.
  // The positions are kept by rows, not by group: whoever writes these rows goes on where the last one ended.
  absl::Status Apply(const Projection& projection, const Batch& batch) override;
  absl::StatusOr<Positions> PositionsOf(const Projection& projection) override;
  absl::StatusOr<Positions> Scan(const Projection& projection,
                                 const std::function<void(const Row&)>& visit) override;

 private:
  struct Statements;
  const Statements& StatementsOf(const Projection& projection);
  absl::Status Store(postgres::Session& session, const Projection& projection, const Batch& batch);
  // Of the rows that are written; locked until the end of the transaction.
  absl::StatusOr<int> RowsVersion(postgres::Session& session, const Projection& projection);

  postgres::Session session_;
  // For Scan, which reads whole tables.
  postgres::Session scan_session_;
  const std::optional<int> rows_version_;
  std::map<std::string, std::unique_ptr<Statements>> statements_;
};

}  // namespace bv::projections
