#include "libs/projections/redis_rows.h"

#include <absl/container/btree_map.h>
#include <absl/strings/numbers.h>
#include <absl/time/clock.h>

#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/projections/redis_layout.h"

namespace bv::projections {
namespace {

std::string GateKey(const RedisPlace& place, const Facet& facet) {
  return Concat(place.key, "/", VersionField(place.row, facet));
}

bool HasEnded(const Shape& shape, const Row& row) {
  for (std::size_t i = 0; i < shape.facets.size(); ++i) {
    const std::vector<Column>& columns = shape.facets[i].columns;
    for (std::size_t c = 0; c < row.facets[i].values.size(); ++c) {
      // By this process's clock, so that it is about right; who needs it exactly asks the owner.
      if (columns[c].name == shape.ends_at && std::get<absl::Time>(row.facets[i].values[c]) <= absl::Now())
        return true;
    }
  }
  return false;
}

}  // namespace

std::vector<std::string> RedisRows::FieldsOf(const std::string& row) const {
  std::vector<std::string> fields;
  for (const Facet& facet : projection_.shape.facets) {
    fields.push_back(VersionField(row, facet));
    for (const Column& column : facet.columns) fields.push_back(ColumnField(row, facet, column));
  }
  return fields;
}

absl::StatusOr<Row> RedisRows::RowOf(const RowKey& key, const std::vector<redis::Reply>& fields) const {
  Row row = EmptyRow(projection_.shape, key);
  std::size_t next = 0;
  for (std::size_t i = 0; i < row.facets.size(); ++i) {
    const redis::Reply& version = fields[next++];
    const std::vector<Column>& columns = projection_.shape.facets[i].columns;
    if (version.kind == redis::Reply::Kind::kText &&
        !absl::SimpleAtoi(version.text, &row.facets[i].version)) {
      return absl::InternalError("a row in Redis has no number as its version");
    }
    for (const Column& column : columns) {
      const redis::Reply& field = fields[next++];
      if (field.kind != redis::Reply::Kind::kText) continue;
      ASSIGN_OR_RETURN(Value value, FromText(column.kind, field.text));
      row.facets[i].values.push_back(std::move(value));
    }
    // Of another version of the projection: a rebuild will write it anew.
    if (!row.facets[i].values.empty() && row.facets[i].values.size() != columns.size())
      return absl::InternalError("a row in Redis has other columns than its projection");
  }
  return row;
}

bool RedisRows::Shows(const Row& row) {
  const RedisPlace place = PlaceOf(projection_, row.tenant, row.key);
  bool is_current = true;
  bool has_values = false;
  for (std::size_t i = 0; i < row.facets.size(); ++i) {
    is_current &= gate_.Pass(GateKey(place, projection_.shape.facets[i]), row.facets[i].version);
    has_values |= !row.facets[i].values.empty();
  }
  return is_current && has_values && !HasEnded(projection_.shape, row);
}

async::Task<absl::StatusOr<std::optional<Row>>> RedisRows::Find(std::vector<Value> key,
                                                                const RequestContext& context) {
  const RedisPlace place = PlaceOf(projection_, context.tenant, key);
  std::vector<std::string> words = {"HMGET", place.key};
  for (std::string& field : FieldsOf(place.row)) words.push_back(std::move(field));
  redis::Batch batch;
  batch.Add(std::move(words));
  CO_ASSIGN_OR_RETURN(const redis::Replies replies, co_await client_.Execute(std::move(batch), context));
  CO_ASSIGN_OR_RETURN(Row row, RowOf({context.tenant, std::move(key)}, replies.front().list));
  if (!Shows(row)) co_return std::nullopt;
  co_return row;
}

async::Task<absl::StatusOr<std::vector<Row>>> RedisRows::FindAll(Value first_of_key,
                                                                 const RequestContext& context) {
  redis::Batch batch;
  batch.Add({"HGETALL", RedisKeyOf(projection_, context.tenant, first_of_key)});
  CO_ASSIGN_OR_RETURN(const redis::Replies replies, co_await client_.Execute(std::move(batch), context));
  // By the part of the fields' names that says the row.
  absl::btree_map<std::string, absl::btree_map<std::string, redis::Reply>> found;
  const std::vector<redis::Reply>& list = replies.front().list;
  for (std::size_t i = 0; i + 1 < list.size(); i += 2) {
    const std::string& field = list[i].text;
    found[field.substr(0, field.rfind('/') + 1)][field] = list[i + 1];
  }
  std::vector<Row> rows;
  for (auto& [row_name, by_field] : found) {
    std::vector<redis::Reply> fields;
    for (const std::string& field : FieldsOf(row_name)) fields.push_back(by_field[field]);
    CO_ASSIGN_OR_RETURN(const std::vector<Value> rest, RestOfKey(projection_.shape, row_name));
    std::vector<Value> key = {first_of_key};
    key.insert(key.end(), rest.begin(), rest.end());
    CO_ASSIGN_OR_RETURN(Row row, RowOf({context.tenant, std::move(key)}, fields));
    if (Shows(row)) rows.push_back(std::move(row));
  }
  co_return rows;
}

async::Task<absl::Status> RedisRows::Fill(std::vector<Value> key, Put put, const RequestContext& context) {
  const Change change{context.tenant, std::move(key), std::move(put)};
  CO_RETURN_IF_ERROR(CheckFits(projection_.shape, change));
  redis::Batch batch;
  AppendChange(projection_, change, settings_, batch);
  co_return (co_await client_.Execute(std::move(batch), context)).status();
}

void RedisRows::OwnerAnswered(const TenantId& tenant, const std::vector<Value>& key, std::int64_t version) {
  const RedisPlace place = PlaceOf(projection_, tenant, key);
  // What the gate answers does not matter: the owner may say what it likes.
  for (const Facet& facet : projection_.shape.facets)
    static_cast<void>(gate_.Pass(GateKey(place, facet), version));
}

}  // namespace bv::projections
