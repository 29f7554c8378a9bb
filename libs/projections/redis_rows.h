// Reads what RedisSink has written, and fills a cache that is read through.
#pragma once

#include <absl/status/statusor.h>

#include <optional>
#include <vector>

#include "libs/async/task.h"
#include "libs/base/request_context.h"
#include "libs/projections/projection.h"
#include "libs/projections/redis_sink.h"
#include "libs/projections/row.h"
#include "libs/redis/redis.h"
#include "libs/redis/version_gate.h"

namespace bv::projections {

// Thread safe. Never shows a row that is older than one it has shown, or that the owner is known to have
// shown (OwnerAnswered): the row is then missing, and the caller asks the owner. It remembers that for the
// rows that were read last (see redis::VersionGate), and for this process: a caller that reads of several
// replicas in turn may see the older row of one that hears of a change later.
//
// Errors are those of redis::Client, and INTERNAL for rows of another shape. Whatever they are, the owner
// can be asked.
class RedisRows {
 public:
  // `client` outlives it. `settings` are those of the sink.
  RedisRows(redis::Client& client, Projection projection, const RedisSinkSettings& settings)
      : client_(client), projection_(std::move(projection)), settings_(settings) {}

  // The row; none when it is not known, was removed, has ended, or is too old. Facets that are not known have
  // version 0.
  async::Task<absl::StatusOr<std::optional<Row>>> Find(std::vector<Value> key, const RequestContext& context);
  // The rows with this first column of the key that are known; there may be others that are not.
  async::Task<absl::StatusOr<std::vector<Row>>> FindAll(Value first_of_key, const RequestContext& context);

  // Puts what the owner has answered where something may be missing, unless something newer is there or was
  // removed. `put` was read by the owner less than the sink's removal_ttl ago.
  async::Task<absl::Status> Fill(std::vector<Value> key, Put put, const RequestContext& context);

  // The caller gets this version of a row without Redis: from now on nothing older is shown.
  void OwnerAnswered(const TenantId& tenant, const std::vector<Value>& key, std::int64_t version);

 private:
  // The row under `place`, of fields in the order of FieldsOf.
  absl::StatusOr<Row> RowOf(const RowKey& key, const std::vector<redis::Reply>& fields) const;
  std::vector<std::string> FieldsOf(const std::string& row) const;
  // Whether the row may be shown.
  bool Shows(const Row& row);

  redis::Client& client_;
  const Projection projection_;
  const RedisSinkSettings settings_;
  redis::VersionGate gate_;
};

}  // namespace bv::projections
