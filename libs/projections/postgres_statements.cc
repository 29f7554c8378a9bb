#include "libs/projections/postgres_statements.h"

#include <absl/strings/str_join.h>
#include <absl/strings/str_replace.h>

#include "libs/base/strings.h"
#include "libs/postgres/postgres.h"

namespace bv::projections {
namespace {

const char* SqlTypeOf(Kind kind) {
  return kind == Kind::kText || kind == Kind::kDay ? "text" : "bigint";
}

// A value of an array as it stands in its column.
std::string FromArray(const Column& column, const std::string& name) {
  switch (column.kind) {
    case Kind::kTime:
      return Concat("to_timestamp(", name, " / 1e6)");
    case Kind::kDay:
      return Concat(name, "::date");
    default:
      return name;
  }
}

std::string ToResult(const Column& column) {
  switch (column.kind) {
    case Kind::kTime:
      return Concat("(extract(epoch FROM ", column.name, ") * 1e6)::bigint");
    case Kind::kDay:
      return Concat(column.name, "::text");
    default:
      return column.name;
  }
}

std::string VersionOf(const Facet& facet) {
  return Concat(facet.name, "_version");
}
// 1 where the facet has values.
std::string ThereOf(const Facet& facet) {
  return Concat(facet.name, "_there");
}

// The parts of the INSERT, column by column.
struct InsertParts {
  std::vector<std::string> columns{"tenant_id", "rows_version"};
  std::vector<std::string> selected{"u.tenant_id", "$1::int"};
  std::vector<std::string> arrays{"$2::text[]"};
  std::vector<std::string> names{"tenant_id"};
  std::vector<std::string> key{"tenant_id", "rows_version"};
  std::vector<std::string> set;
  // When a conflict changes something.
  std::vector<std::string> newer;

  void Array(const std::string& name, Kind kind) {
    arrays.push_back(Concat("$", arrays.size() + 2, "::", SqlTypeOf(kind), "[]"));
    names.push_back(name);
  }
  void Select(const std::string& column, std::string expression) {
    columns.push_back(column);
    selected.push_back(std::move(expression));
  }

  void AddFacet(const Facet& facet) {
    const std::string version = VersionOf(facet);
    const std::string is_newer = Concat("excluded.", version, " > t.", version);
    Array(version, Kind::kInteger);
    Select(version, "u." + version);
    Array(ThereOf(facet), Kind::kInteger);
    for (const Column& column : facet.columns) {
      Array(column.name, column.kind);
      Select(column.name, Concat("CASE WHEN u.", ThereOf(facet), " = 1 THEN ",
                                 FromArray(column, "u." + column.name), " END"));
      set.push_back(Concat(column.name, " = CASE WHEN ", is_newer, " THEN excluded.", column.name, " ELSE t.",
                           column.name, " END"));
    }
    set.push_back(Concat(version, " = greatest(excluded.", version, ", t.", version, ")"));
    newer.push_back(is_newer);
  }
  void AddSum(const std::string& sum) {
    Array(sum, Kind::kInteger);
    Select(sum, "u." + sum);
    set.push_back(Concat(sum, " = t.", sum, " + excluded.", sum));
    newer.push_back(Concat("excluded.", sum, " <> 0"));
  }
};

// What stands in an array in place of a value that is not there.
Value Nothing(Kind kind) {
  switch (kind) {
    case Kind::kText:
      return std::string();
    case Kind::kInteger:
      return std::int64_t{0};
    case Kind::kTime:
      return absl::UnixEpoch();
    case Kind::kDay:
      return absl::CivilDay();
  }
  return std::string();
}

class ArrayBuilder {
 public:
  void Add(const Value& value) {
    if (const auto* text = std::get_if<std::string>(&value)) texts_.push_back(*text);
    if (const auto* number = std::get_if<std::int64_t>(&value)) numbers_.push_back(*number);
    if (const auto* time = std::get_if<absl::Time>(&value)) numbers_.push_back(absl::ToUnixMicros(*time));
    if (const auto* day = std::get_if<absl::CivilDay>(&value)) texts_.push_back(absl::FormatCivilTime(*day));
  }
  // Of text or of numbers; never both.
  std::string Literal() const {
    return texts_.empty() ? postgres::ArrayLiteral(numbers_) : postgres::ArrayLiteral(texts_);
  }

 private:
  std::vector<std::string> texts_;
  std::vector<std::int64_t> numbers_;
};

template <class Pick>
std::string ArrayOf(const RowsByKey& rows, const Pick& pick) {
  ArrayBuilder array;
  for (const auto& [key, row] : rows) array.Add(pick(row));
  return array.Literal();
}

Value ValueOf(const Column& column, const pqxx::field& field) {
  switch (column.kind) {
    case Kind::kText:
      return field.as<std::string>();
    case Kind::kInteger:
      return field.as<std::int64_t>();
    case Kind::kTime:
      return postgres::TimeFromMicros(field);
    case Kind::kDay: {
      absl::CivilDay day;
      if (!absl::ParseCivilTime(field.c_str(), &day)) throw pqxx::conversion_error("no day");
      return day;
    }
  }
  throw pqxx::conversion_error("no kind");
}

}  // namespace

std::string WriteSql(const std::string& table, const Shape& shape) {
  InsertParts parts;
  for (const Column& column : shape.key) {
    parts.Array(column.name, column.kind);
    parts.Select(column.name, FromArray(column, "u." + column.name));
    parts.key.push_back(column.name);
  }
  for (const Facet& facet : shape.facets) parts.AddFacet(facet);
  for (const std::string& sum : shape.sums) parts.AddSum(sum);
  return Concat("INSERT INTO ", table, " AS t (", absl::StrJoin(parts.columns, ", "), ") SELECT ",
                absl::StrJoin(parts.selected, ", "), " FROM unnest(", absl::StrJoin(parts.arrays, ", "),
                ") AS u (", absl::StrJoin(parts.names, ", "), ") ON CONFLICT (",
                absl::StrJoin(parts.key, ", "), ") DO UPDATE SET ", absl::StrJoin(parts.set, ", "), " WHERE ",
                absl::StrJoin(parts.newer, " OR "));
}

std::vector<std::string> ColumnsOf(const Shape& shape, const RowsByKey& rows) {
  std::vector<std::string> columns;
  columns.push_back(ArrayOf(rows, [](const Row& row) { return Value(row.tenant.str()); }));
  for (std::size_t i = 0; i < shape.key.size(); ++i)
    columns.push_back(ArrayOf(rows, [i](const Row& row) { return row.key[i]; }));
  for (std::size_t f = 0; f < shape.facets.size(); ++f) {
    const Facet& facet = shape.facets[f];
    columns.push_back(ArrayOf(rows, [f](const Row& row) { return Value(row.facets[f].version); }));
    columns.push_back(ArrayOf(
        rows, [f](const Row& row) { return Value(std::int64_t{row.facets[f].values.empty() ? 0 : 1}); }));
    for (std::size_t i = 0; i < facet.columns.size(); ++i) {
      columns.push_back(ArrayOf(rows, [&, f, i](const Row& row) {
        const std::vector<Value>& values = row.facets[f].values;
        return values.empty() ? Nothing(facet.columns[i].kind) : values[i];
      }));
    }
  }
  for (std::size_t i = 0; i < shape.sums.size(); ++i)
    columns.push_back(ArrayOf(rows, [i](const Row& row) { return Value(row.sums[i]); }));
  return columns;
}

std::string TenantsSql(const std::string& table) {
  return absl::StrReplaceAll(R"sql(
    WITH RECURSIVE found AS (
      (SELECT tenant_id, rows_version FROM $table ORDER BY tenant_id, rows_version LIMIT 1)
      UNION ALL
      SELECT next.tenant_id, next.rows_version
      FROM found CROSS JOIN LATERAL (
        SELECT tenant_id, rows_version FROM $table t
        WHERE (t.tenant_id, t.rows_version) > (found.tenant_id, found.rows_version)
        ORDER BY t.tenant_id, t.rows_version LIMIT 1
      ) AS next
    )
    SELECT tenant_id FROM found WHERE rows_version = $1::int
  )sql",
                             {{"$table", table}});
}

std::string DeleteSql(const std::string& table) {
  return absl::StrReplaceAll(R"sql(
    DELETE FROM $table WHERE ctid = ANY (ARRAY(
      SELECT r.row_id FROM unnest($2::text[]) AS k (tenant_id)
      CROSS JOIN LATERAL (
        SELECT t.ctid AS row_id FROM $table t WHERE t.tenant_id = k.tenant_id AND t.rows_version = $1::int
      ) AS r
      LIMIT $3::int
    ))
  )sql",
                             {{"$table", table}});
}

std::string ScanSql(const std::string& table, const Shape& shape, int rows_version) {
  std::vector<std::string> columns{"tenant_id"};
  for (const Column& column : shape.key) columns.push_back(ToResult(column));
  for (const Facet& facet : shape.facets) {
    columns.push_back(VersionOf(facet));
    for (const Column& column : facet.columns) columns.push_back(ToResult(column));
  }
  columns.insert(columns.end(), shape.sums.begin(), shape.sums.end());
  return Concat("DECLARE projection_scan CURSOR FOR SELECT ", absl::StrJoin(columns, ", "), " FROM ", table,
                " WHERE rows_version = ", rows_version);
}

Row RowOf(const Shape& shape, const pqxx::row& result) {
  Row row{.tenant = TenantId::Trusted(result[0].c_str())};
  pqxx::row::size_type at = 1;
  for (const Column& column : shape.key) row.key.push_back(ValueOf(column, result[at++]));
  for (const Facet& facet : shape.facets) {
    FacetState state{.version = result[at++].as<std::int64_t>()};
    for (const Column& column : facet.columns) {
      const pqxx::field field = result[at++];
      // All of a facet's columns are there, or none.
      if (!field.is_null()) state.values.push_back(ValueOf(column, field));
    }
    row.facets.push_back(std::move(state));
  }
  for (std::size_t i = 0; i < shape.sums.size(); ++i) row.sums.push_back(result[at++].as<std::int64_t>());
  return row;
}

}  // namespace bv::projections
