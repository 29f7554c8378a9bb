// Events as rows of the same transaction: an event exists exactly when the change that it announces was
// committed. outbox-relay reads the rows from the write-ahead log and publishes them.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <google/protobuf/message.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/request_context.h"
#include "libs/events/event_type.h"
#include "libs/postgres/postgres.h"

namespace bv::events {

struct OutboxRow {
  std::string id;  // a UUID, also the envelope's eventId
  std::string topic;
  std::string key;
  std::string type;
  std::string payload;
  std::int64_t aggregate_version = 0;
  absl::Time occurred_at;
  std::string tenant;
  std::string traceparent;
  std::string correlation_id;
};

// The row of one event: its payload is the whole envelope, the JSON that consumers get, byte for byte.
// `aggregate_version` grows with each change of the aggregate. A context without a trace gets a new one, and
// a missing correlation id is the trace's id. INTERNAL when the payload cannot be written as JSON, or the
// envelope is not what its schema says (libs/events/schemas.h): nothing is stored that consumers could not
// read.
absl::StatusOr<OutboxRow> MakeRow(const google::protobuf::Message& payload, std::int64_t aggregate_version,
                                  absl::Time occurred_at, const RequestContext& context);

// The rows as arrays for BV_OUTBOX_INSERT, in the order of its parameters.
struct OutboxArrays {
  explicit OutboxArrays(const std::vector<OutboxRow>& rows);
  std::string ids, topics, keys, types, payloads, versions, occurred, tenants, traceparents, correlation_ids;
};

// The statement that inserts rows, with the parameters $1 to $10: for a WITH of a larger one, which saves a
// round trip.
#define BV_OUTBOX_INSERT                                                                                   \
  "INSERT INTO outbox.event (id, aggregatetype, aggregateid, type, payload, aggregate_version, "           \
  "occurred_at, "                                                                                          \
  "tenant_id, traceparent, correlation_id) "                                                               \
  "SELECT id, topic, key, type, payload, version, to_timestamp(occurred / 1e6), tenant, traceparent, "     \
  "correlation_id "                                                                                        \
  "FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], "   \
  "$8::text[], "                                                                                           \
  "$9::text[], $10::text[]) WITH ORDINALITY "                                                              \
  "AS r (id, topic, key, type, payload, version, occurred, tenant, traceparent, correlation_id, n) ORDER " \
  "BY n"

// Inserts the rows with one statement, in their order, in the session's transaction. Call it while the
// aggregates' rows are locked, so that the events of one aggregate are numbered in the order of its changes.
// Throws what libpqxx throws.
void InsertOutbox(postgres::Session& session, const std::vector<OutboxRow>& rows);

// The envelope's text; used by MakeRow.
absl::Status AppendEnvelope(const google::protobuf::Message& payload, const OutboxRow& row,
                            std::string_view trace_id, std::string& out);

}  // namespace bv::events
